"""Changes as rows: the one writer, which a sender may call as often as it likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from incidents.models import ChangeEvent
from incidents.signals import change_recorded

IDENTITY = ("service", "kind", "at", "ref")


class Contradiction(Exception):
    """The id is taken by a change of another service, kind, time or ref; `fields` says which."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True)
class Recorded:
    change: ChangeEvent
    created: bool


def record_change(*, source: str, columns: Mapping[str, Any]) -> Recorded:
    """Keep a change, or find it: the same id, or the same source, service, kind and ref, is one.

    Sends `change_recorded` for a new one, in its transaction. Raises Contradiction.
    """
    try:
        with transaction.atomic():
            known = _known(source, columns)
            if known is not None:
                return Recorded(known, created=False)
            change = ChangeEvent.objects.create(source=source, **columns)
            change_recorded.send(sender=ChangeEvent, change=change)
    except IntegrityError:  # somebody else kept it since we looked
        known = _known(source, columns)
        if known is None:
            raise
        return Recorded(known, created=False)
    return Recorded(change, created=True)


def _known(source: str, columns: Mapping[str, Any]) -> ChangeEvent | None:
    changes = ChangeEvent.objects.select_related("service")
    if columns.get("id"):
        known = changes.filter(pk=columns["id"]).first()
        if known is not None:
            differing = [
                name
                for name in IDENTITY
                if name in columns and getattr(known, name) != columns[name]
            ]
            if differing:
                raise Contradiction(differing)
            return known
    if not columns.get("ref"):
        return None
    service = columns.get("service")
    whose = Q(service=service) if service is not None else Q(service=None)
    return changes.filter(whose, source=source, kind=columns["kind"], ref=columns["ref"]).first()
