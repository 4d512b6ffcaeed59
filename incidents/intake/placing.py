"""Says of each firing which rule it hits, which correlation key it has, what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from incidents.intake import placement, reading, rulebook
from incidents.intake.placement import Placement, Rule, Subject
from incidents.intake.reading import Reading, Severe
from incidents.intake.readings import Readings
from incidents.intake.screened import Screened
from incidents.models import AlertOccurrence, Service, Severity


@dataclass(frozen=True)
class Placed:
    """A firing with its place."""

    occurrence: AlertOccurrence
    found: Found

    @property
    def rule(self) -> Rule:
        return self.found.placement.rule

    @property
    def key(self) -> str:
        return self.found.placement.key

    @property
    def service(self) -> Service | None:
        return self.found.service

    @property
    def severity(self) -> Severity:
        return self.found.severe.severity

    @property
    def received_at(self) -> datetime:
        """By our clock."""
        delivery = self.occurrence.delivery
        return timezone.now() if delivery is None else delivery.received_at

    @property
    def delivery_id(self) -> UUID | None:
        return self.occurrence.delivery_id


@dataclass(frozen=True)
class Found:
    """What was read off an alert: `named` is the service it names, `service` ours of that name."""

    subject: Subject
    reading: Reading
    placement: Placement
    named: str | None
    service: Service | None
    severe: Severe

    @property
    def missing(self) -> str:
        """What it takes to link its service, in words; empty when it is linked."""
        return reading.missing(self.named, known=self.service is not None, steps=self.reading.steps)


@dataclass(frozen=True)
class Told:
    """What a sender says of one alert."""

    labels: Mapping[str, str]
    name: str
    source: str
    environment: str


def place(screened: Sequence[Screened]) -> list[Placed]:
    """Each firing placed."""
    occurrences = [one.occurrence for one in screened]
    alerts = [one.alert for one in occurrences]
    told = [Told(a.labels, a.name, a.source.slug, a.source.environment) for a in alerts]
    return [Placed(*pair) for pair in zip(occurrences, read(told), strict=True)]


def read(alerts: Sequence[Told]) -> list[Found]:
    """What each alert is about and where it belongs; rules, readings and services are looked up
    once for all."""
    if not alerts:
        return []
    rules, readings = rulebook.in_force(), Readings()
    read_as = [readings.of(alert.source) for alert in alerts]
    named = [
        reading.service_name(alert.labels, how) for alert, how in zip(alerts, read_as, strict=True)
    ]
    catalogue = _Catalogue(name for name in named if name)
    return [
        _found(alert, how, name, catalogue, rules)
        for alert, how, name in zip(alerts, read_as, named, strict=True)
    ]


def _found(
    alert: Told, how: Reading, named: str | None, catalogue: _Catalogue, rules: Sequence[Rule]
) -> Found:
    service = catalogue.find(alert.environment, named) if named else None
    subject = Subject(
        labels=alert.labels,
        name=alert.name,
        source=alert.source,
        environment=alert.environment,
        service=service.slug if service else named and reading.key_name(named),
    )
    return Found(
        subject=subject,
        reading=how,
        placement=placement.place(subject, rules),
        named=named,
        service=service,
        severe=reading.severity_of(alert.labels, how),
    )


class _Catalogue:
    """The services that some names may mean."""

    def __init__(self, names: Iterable[str]) -> None:
        slugs = {slug for name in names for _namespace, slug in reading.slugs_for(name)}
        self._services = {
            (service.environment, service.slug): service
            for service in Service.objects.filter(slug__in=slugs)
        }

    def find(self, environment: str, named: str) -> Service | None:
        for namespace, slug in reading.slugs_for(named):
            service = self._services.get((environment, slug))
            if service is not None and namespace in ("", service.namespace):
                return service
        return None


def by_key(placed: Sequence[Placed]) -> list[list[Placed]]:
    """Those of one key together, in the order they came."""
    groups: dict[str, list[Placed]] = {}
    for one in placed:
        groups.setdefault(one.key, []).append(one)
    return list(groups.values())
