"""What people do to rules: the only writer of CorrelationRule and RuleChange.

Every change is one transaction with its RuleChange. A caller may name the version it has read;
another one in between is a VersionConflict instead of being overwritten.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from correlation.models import CorrelationRule, RuleChange
from correlation.rules.documents import BadRule
from correlation.rules.pack import shipped_rules
from correlation.rules.vocabulary import SHIPPED_PRIORITY, USER_PRIORITY

MOST_RULES = 200
TAKEN = ("new", "dry-run")
"""Names that are addresses of their own."""

Action = RuleChange.Action


class VersionConflict(Exception):
    """Somebody else changed the rule since `expected` was read."""

    def __init__(self, name: str, version: int, expected: int) -> None:
        self.version, self.expected = version, expected
        super().__init__(f"The rule {name} is at version {version}, not {expected}.")


class NoSuchRule(LookupError):
    """Neither stored nor shipped."""


def is_shipped(name: str) -> bool:
    return any(rule.name == name for rule in shipped_rules())


def create(
    *,
    name: str,
    definition: dict[str, Any] | None,
    actor: User | None,
    priority: int | None = None,
    enabled: bool = True,
) -> CorrelationRule:
    """A new rule; with a shipped rule's name it takes its place. Raises BadRule by field."""
    if priority is None:
        priority = SHIPPED_PRIORITY if is_shipped(name) else USER_PRIORITY
    row = CorrelationRule(
        name=name, definition=definition, priority=priority, enabled=enabled, updated_by=actor
    )
    row.check_definition()
    if name in TAKEN:
        raise BadRule({"name": ["This name is taken; choose another."]})
    try:
        with transaction.atomic():
            if CorrelationRule.objects.count() >= MOST_RULES:
                raise BadRule({"name": [f"There are {MOST_RULES} rules already."]})
            row.save(force_insert=True)
            _note(name, Action.CREATED, actor, None, _state(row))
    except IntegrityError as error:
        raise BadRule({"name": ["There is a rule of this name already."]}) from error
    return row


def edit(
    *, name: str, changes: dict[str, Any], actor: User | None, version: int | None = None
) -> CorrelationRule | None:
    """Set `enabled`, `priority` or `definition`; None when a shipped rule is as shipped again.

    A shipped rule that has no row yet gets one. Raises BadRule, NoSuchRule, VersionConflict.
    """
    with transaction.atomic():
        row = _locked(name, version)
        before = _state(row) if row else None
        if row is None:
            row = CorrelationRule(name=name, definition=None, priority=SHIPPED_PRIORITY, version=0)
        known = _state(row)
        for field, value in changes.items():
            setattr(row, field, value)
        if _state(row) == known:
            return row if before else None
        row.check_definition()
        row.version, row.updated_by = row.version + 1, actor
        after = _state(row)
        _note(name, _named(known, after), actor, before, after)
        if row.definition is None and row.enabled and row.priority == SHIPPED_PRIORITY:
            CorrelationRule.objects.filter(pk=row.pk).delete()
            return None
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:
            raise VersionConflict(name, 1, 0) from error
        return row


def remove(*, name: str, actor: User | None, version: int | None = None) -> None:
    """Delete a user's rule, or give a shipped one back its place.

    Raises NoSuchRule, also for a shipped rule that nobody has touched; VersionConflict.
    """
    with transaction.atomic():
        row = _locked(name, version)
        if row is None:
            raise NoSuchRule(f"The rule {name} is as it is shipped: there is nothing to remove.")
        action = Action.RESTORED if is_shipped(name) else Action.DELETED
        _note(name, action, actor, _state(row), None)
        row.delete()


def _locked(name: str, version: int | None) -> CorrelationRule | None:
    """The row, locked; None for a shipped rule without one."""
    row = CorrelationRule.objects.select_for_update().filter(name=name).first()
    if row is None and not is_shipped(name):
        raise NoSuchRule(f"There is no rule {name[:63]!r}.")
    now = row.version if row else 0
    if version is not None and now != version:
        raise VersionConflict(name, now, version)
    return row


def _state(row: CorrelationRule) -> dict[str, Any]:
    return {"enabled": row.enabled, "priority": row.priority, "definition": row.definition}


def _named(before: dict[str, Any], after: dict[str, Any]) -> Action:
    """What to call a change: switched on or off where that is all it does."""
    if {**before, "enabled": after["enabled"]} == after:
        return Action.ENABLED if after["enabled"] else Action.DISABLED
    return Action.EDITED


def _note(
    name: str,
    action: Action,
    actor: User | None,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    RuleChange.objects.create(rule=name, action=action, actor=actor, before=before, after=after)
