"""Says of each firing which rule it hits, which correlation key it has, what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from incidents.intake import placement, reading, rulebook
from incidents.intake.placement import Rule, Subject
from incidents.intake.screening import Screened
from incidents.models import AlertOccurrence, Service, Severity


@dataclass(frozen=True)
class Placed:
    """A firing with its key; `named` is the service it names, `service` ours of that name."""

    occurrence: AlertOccurrence
    rule: Rule
    key: str
    environment: str
    named: str | None
    service: Service | None
    severity: Severity

    @property
    def received_at(self) -> datetime:
        """By our clock."""
        delivery = self.occurrence.delivery
        return timezone.now() if delivery is None else delivery.received_at

    @property
    def delivery_id(self) -> UUID | None:
        return self.occurrence.delivery_id


def place(screened: Sequence[Screened]) -> list[Placed]:
    """Each firing placed; rules and services are looked up once for all."""
    if not screened:
        return []
    rules = rulebook.in_force()
    occurrences = [one.occurrence for one in screened]
    named = {o.pk: reading.service_name(o.alert.labels) for o in occurrences}
    known = {
        (service.environment, service.slug): service
        for service in Service.objects.filter(slug__in={n for n in named.values() if n})
    }
    return [_placed(o, named[o.pk], known, rules) for o in occurrences]


def _placed(
    occurrence: AlertOccurrence,
    named: str | None,
    known: dict[tuple[str, str], Service],
    rules: Sequence[Rule],
) -> Placed:
    alert = occurrence.alert
    environment = alert.source.environment
    subject = Subject(alert.labels, alert.name, alert.source.slug, environment, named)
    found = placement.place(subject, rules)
    return Placed(
        occurrence=occurrence,
        rule=found.rule,
        key=found.key,
        environment=environment,
        named=named,
        service=known.get((environment, named)) if named else None,
        severity=reading.severity_of(alert.labels),
    )


def by_key(placed: Sequence[Placed]) -> list[list[Placed]]:
    """Those of one key together, in the order they came."""
    groups: dict[str, list[Placed]] = {}
    for one in placed:
        groups.setdefault(one.key, []).append(one)
    return list(groups.values())
