"""Models whose every save and deletion by somebody becomes an audit entry.

`update()` and the bulk methods send no signals: code that uses them on a watched model calls
`record` itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from accounts import origin
from accounts.audit.recording import record
from accounts.audit.words import kind_of

HIDDEN = "(not shown)"
CHANGED = "(changed, not shown)"
_BEFORE = "_audited_before"


@dataclass(frozen=True)
class _Watched:
    fields: tuple[str, ...]  # attribute names: service_id, not service
    when_made: frozenset[str]
    secret: frozenset[str]

    def state(self, instance: models.Model) -> dict[str, Any]:
        return {name: instance.__dict__.get(name) for name in self.fields}

    def shown(self, state: dict[str, Any], hidden: str = HIDDEN) -> dict[str, Any]:
        return {n: hidden if n in self.secret and v else v for n, v in state.items()}


_watched: dict[type[models.Model], _Watched] = {}


def watch(
    model: type[models.Model],
    *,
    ignore: Collection[str] = (),
    only: Collection[str] | None = None,
    when_made: Collection[str] = (),
    secret: Collection[str] = (),
    many: Collection[str] = (),
) -> None:
    """Record what somebody makes, changes and deletes of `model`: `service.created`, ....

    Of a change the fields that differ are kept, but those of `ignore`, or but `only` those; of
    what is made and deleted all fields but `ignore`; changes of `when_made` are told elsewhere.
    Of `secret` fields it is said that they
    changed, never what they held. `many` names many-to-many fields.
    """
    known = {field.attname for field in model._meta.concrete_fields}
    unknown = {*ignore, *(only or ()), *when_made, *secret} - known
    if unknown:
        raise ValueError(f"{model.__name__} has no fields {sorted(unknown)}")
    names = [f.attname for f in model._meta.concrete_fields if f.attname not in ignore]
    kept = tuple(names if only is None else [name for name in names if name in only])
    _watched[model] = _Watched(kept, frozenset(when_made), frozenset(secret))
    for signal, receiver in (
        (pre_save, _remember),
        (post_save, _saved),
        (pre_delete, _deleted),
    ):
        signal.connect(receiver, sender=model, dispatch_uid=f"audit.{model._meta.label}")
    for name in many:
        through = getattr(model, name).through
        m2m_changed.connect(_linked, sender=through, dispatch_uid=f"audit.{through._meta.label}")


def watched() -> frozenset[type[models.Model]]:
    return frozenset(_watched)


def _remember(sender: Any, instance: models.Model, raw: bool, **kwargs: Any) -> None:
    if raw or origin.current() is None:
        return
    before = None
    if not instance._state.adding:
        rows = sender._base_manager.filter(pk=instance.pk)
        before = rows.values(*_watched[sender].fields).first()
    instance.__dict__[_BEFORE] = before


def _saved(sender: Any, instance: models.Model, created: bool, raw: bool, **kwargs: Any) -> None:
    if raw or origin.current() is None:
        return
    rules, before = _watched[sender], instance.__dict__.pop(_BEFORE, None)
    if created or before is None:
        what = "created" if created else "changed"
        after = rules.shown(_without_expressions(sender, instance, rules))
        record(f"{kind_of(sender)}.{what}", instance, None, after)
        return
    after = _without_expressions(sender, instance, rules)
    written, left_out = kwargs.get("update_fields"), instance.get_deferred_fields()
    touched = [
        name
        for name in rules.fields
        if before[name] != after[name]
        and name not in rules.when_made
        and name not in left_out
        and (written is None or _is_written(sender, name, written))
    ]
    if touched:
        record(
            f"{kind_of(sender)}.changed",
            instance,
            rules.shown({name: before[name] for name in touched}),
            rules.shown({name: after[name] for name in touched}, CHANGED),
        )


def _deleted(sender: Any, instance: models.Model, **kwargs: Any) -> None:
    if origin.current() is not None:
        rules = _watched[sender]
        record(f"{kind_of(sender)}.deleted", instance, rules.shown(rules.state(instance)), None)


def _linked(instance: models.Model, action: str, pk_set: Any, model: Any, **kwargs: Any) -> None:
    what = {"post_add": "linked", "post_remove": "unlinked", "pre_clear": "unlinked"}.get(action)
    if what is None or origin.current() is None or (pk_set is not None and not pk_set):
        return
    names = sorted(str(one) for one in model._base_manager.filter(pk__in=pk_set or []))
    linked = {kind_of(model): names if pk_set is not None else "all"}
    both = (None, linked) if what == "linked" else (linked, None)
    record(f"{kind_of(type(instance))}.{what}", instance, *both)


def _without_expressions(sender: Any, instance: models.Model, rules: _Watched) -> dict[str, Any]:
    """What was saved; read again where an expression such as F("version") + 1 was."""
    state = rules.state(instance)
    if any(hasattr(value, "resolve_expression") for value in state.values()):
        stored = sender._base_manager.filter(pk=instance.pk).values(*rules.fields).get()
        return dict(stored)
    return state


def _is_written(sender: Any, attname: str, written: Collection[str]) -> bool:
    return attname in written or any(
        field.attname == attname and field.name in written for field in sender._meta.concrete_fields
    )
