"""Says of each firing which correlation key it has, and what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from incidents.intake import placement, reading
from incidents.intake.screening import Screened
from incidents.models import AlertOccurrence, Service, Severity


@dataclass(frozen=True)
class Placed:
    """A firing with its key; `named` is the service it names, `service` ours of that name."""

    occurrence: AlertOccurrence
    key: str
    environment: str
    named: str | None
    service: Service | None
    severity: Severity

    @property
    def delivery_id(self) -> UUID | None:
        return self.occurrence.delivery_id


def place(screened: Sequence[Screened]) -> list[Placed]:
    """Each firing placed; services are looked up once for all."""
    occurrences = [one.occurrence for one in screened]
    named = {o.pk: reading.service_name(o.alert.labels) for o in occurrences}
    known = {
        (service.environment, service.slug): service
        for service in Service.objects.filter(slug__in={n for n in named.values() if n})
    }
    return [_placed(o, named[o.pk], known) for o in occurrences]


def _placed(
    occurrence: AlertOccurrence, named: str | None, known: dict[tuple[str, str], Service]
) -> Placed:
    alert = occurrence.alert
    environment = alert.source.environment
    return Placed(
        occurrence=occurrence,
        key=placement.default_key(environment, named, alert.name),
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
