"""Rows of every model of the product, made from its fields: a new model gets them by itself.

`make_rows(n)` makes n rows of each, told apart by their number, and each again under the first
incident as far as constraints allow: lists get longer, and so does what one page shows. What a
field alone cannot say stands in COLUMNS.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

APPS = ("accounts", "incidents", "timeline", "correlation", "slos")
Row = models.Model
Kept = dict[type[Row], list[Row]]
EXTRA = 1000
"""The number of the first incident's extra rows begins here."""


def ago(seconds: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=seconds)


def event_before(number: int) -> str:
    """The digest that an event of a timeline names: own rows begin one, extra rows follow."""
    if number <= EXTRA:
        return ""
    return f"digest-{number - 1}" if number > EXTRA + 1 else "digest-0"


# what a row must say to be shown; functions get the row's number
COLUMNS: dict[str, dict[str, Any]] = {
    # a chain: each names the digest before
    "accounts.AuditEntry": {"previous": lambda n: f"digest-{n - 1}" if n else ""},
    "accounts.User": {"email": lambda n: f"person-{n}@example.com", "role": "admin"},
    "incidents.Incident": {
        "number": lambda n: 900 + n,
        "started_at": lambda n: ago(600 + n),
        "detected_at": lambda n: ago(590 + n),
        "merged_into": None,
    },
    "incidents.ServiceDependency": {"callee": "next"},
    "incidents.Alert": {
        "firing": True,
        "annotations": {"summary": "High", "runbook_url": "https://wiki.example.com", "team": "a"},
        "generator_url": "https://prometheus.example.com/graph",
    },
    "incidents.GroupingRule": {"matchers": ['service="checkout"']},
    "incidents.IncidentMerge": {"target": "next", "undone_at": lambda n: ago(1)},
    "incidents.MergeProposal": {"newer": "next"},
    "incidents.MaintenanceWindow": {
        "starts_at": lambda n: ago(60 + n),
        "ends_at": lambda n: ago(-600),
        "cancelled_by": None,
    },
    "incidents.NotificationDelivery": {
        "facts": {
            "event": "opened",
            "reference": "INC-900",
            "title": "Checkout fails",
            "status": "open",
            "severity": "high",
            "services": [],
            "started_at": "2026-01-01T00:00:00Z",
            "at": "2026-01-01T00:00:00Z",
            "actor": "",
            "reason": "",
            "details": {},
        },
    },
    "timeline.TimelineEvent": {
        "seq": lambda n: n - EXTRA + 1 if n > EXTRA else 1,
        "previous": event_before,
        "corrects": None,
    },
    "timeline.TimelineAnchor": {"length": 1, "head": "digest-0"},
    "correlation.DataSource": {"url": "http://127.0.0.1:1"},
    "correlation.Analysis": {
        "status": "done",
        "started_at": lambda n: ago(60 + n),
        "finished_at": lambda n: ago(50 + n),
        "superseded_by": None,
    },
    "correlation.Correlation": {"id": lambda n: uuid.uuid4()},
    "slos.SLO": {
        "indicator": {"kind": "ratio", "total": "requests_total", "bad": "failures_total"},
        "target": 0.999,
    },
}

# waits for a moment, and becomes something else
LEFT_OUT = ("accounts.AuditDraft",)
SINGLE = ("accounts.AuditAnchor",)
# there is one more of those that "next" points to
SPARE = ("incidents.Service", "incidents.Incident")


class Unmade(Exception):
    """A model whose rows cannot be made from its fields alone; the message says why."""


def make_rows(count: int, kept: Kept | None = None) -> Kept:
    """`count` rows of each model, after those in `kept`. Raises Unmade, naming the model."""
    kept = kept if kept is not None else {}
    for model in _in_order():
        rows = kept.setdefault(model, [])
        label = model._meta.label
        wanted = 1 if label in SINGLE else count + (label in SPARE)
        for number in range(len(rows), wanted):
            rows.append(_row(model, number, kept))
        # more of it on the first incident's page
        if any(_is_incident(field) for field in model._meta.concrete_fields):
            for number in range(1, count):
                _extra(model, number, kept)
    return kept


def _row(model: type[Row], number: int, kept: Kept) -> Row:
    try:
        with transaction.atomic():
            made = model(**dict(_columns(model, number, kept, first=False)))
            models.Model.save_base(made, force_insert=True, raw=True)
    except (IntegrityError, ValueError, TypeError) as error:
        label = model._meta.label
        raise Unmade(f"say in COLUMNS of {__name__} how a {label} is made: {error}") from error
    return made


def _extra(model: type[Row], number: int, kept: Kept) -> None:
    columns = dict(_columns(model, EXTRA + number, kept, first=True))
    try:
        with transaction.atomic():
            models.Model.save_base(model(**columns), force_insert=True, raw=True)
    except IntegrityError:
        pass  # constraints allow an incident one


def _columns(
    model: type[Row], number: int, kept: Kept, *, first: bool
) -> Iterator[tuple[str, Any]]:
    said = COLUMNS.get(model._meta.label, {})
    for field in model._meta.concrete_fields:
        wish = said.get(field.name)
        if field.is_relation and (field.name not in said or wish == "next"):
            target: Any = field.related_model
            rows = kept.get(target, [])
            if target is not model and rows:
                place = 0 if first and _is_incident(field) else number + (wish == "next")
                yield field.name, rows[place % len(rows)]
        elif field.name in said:
            yield field.name, wish(number) if callable(wish) else wish
        elif not (field.has_default() or field.null or field.blank) or _is_wanted(field):
            value = _value(field, number)
            if value is not None:
                yield field.name, value


def _is_wanted(field: models.Field[Any, Any]) -> bool:
    """Though it says that nobody need give it."""
    return field.unique or bool(getattr(field, "auto_now", False))


def _value(field: models.Field[Any, Any], number: int) -> Any:
    if field.has_default() and not isinstance(field, models.CharField):
        return None  # a key that makes itself
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.CharField | models.TextField):
        text = f"{field.name.replace('_', '-')}-{number}"
        return text[: field.max_length] if field.max_length else text
    if isinstance(field, models.DateTimeField):
        return ago(300 + number)
    if isinstance(field, models.DateField):
        return ago(300).date()
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.FloatField | models.DecimalField):
        return 0.5
    if isinstance(field, models.IntegerField) and not isinstance(field, models.AutoField):
        return number + 1
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.BinaryField):
        return b""
    return None


def _is_incident(field: models.Field[Any, Any]) -> bool:
    return field.is_relation and field.related_model is apps.get_model("incidents.Incident")


def _in_order() -> list[type[Row]]:
    """Models after those they point to."""
    every = [m for app in APPS for m in apps.get_app_config(app).get_models()]
    waiting = [model for model in every if model._meta.label not in LEFT_OUT]
    placed: list[type[Row]] = []
    while waiting:
        free = [
            model
            for model in waiting
            if not any(
                field.related_model in waiting and field.related_model is not model
                for field in model._meta.concrete_fields
                if field.is_relation
            )
        ]
        placed += free or waiting[:1]
        waiting = [model for model in waiting if model not in placed]
    return placed
