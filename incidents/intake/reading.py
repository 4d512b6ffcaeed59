"""What an alert says it is about: its service, its severity and a title. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incidents.intake.steps import parse_step
from incidents.models import Severity

_NOT_IN_SLUGS = re.compile(r"[^a-z0-9._-]+")
SLUG_LENGTH = 100


@dataclass(frozen=True)
class Reading:
    """A service map and a severity map; `steps` are tried in order, `severity_values` are lower
    case. The columns of models.AlertReading."""

    steps: tuple[str, ...]
    names: Mapping[str, str]
    severity_labels: tuple[str, ...]
    severity_values: Mapping[str, str]
    severity_default: str

    def over(self, other: Reading) -> Reading:
        """This reading first, then the other."""
        return Reading(
            steps=tuple(dict.fromkeys((*self.steps, *other.steps))),
            names={**other.names, **self.names},
            severity_labels=tuple(dict.fromkeys((*self.severity_labels, *other.severity_labels))),
            severity_values={**other.severity_values, **self.severity_values},
            severity_default=self.severity_default or other.severity_default,
        )


SHIPPED = Reading(
    steps=("service", "app", "app_kubernetes_io_name", "deployment", "job"),
    names={},
    severity_labels=("severity", "priority"),
    severity_values={
        "critical": Severity.CRITICAL,
        "page": Severity.CRITICAL,
        "emergency": Severity.CRITICAL,
        "high": Severity.HIGH,
        "error": Severity.HIGH,
        "major": Severity.HIGH,
        "warning": Severity.MEDIUM,
        "warn": Severity.MEDIUM,
        "medium": Severity.MEDIUM,
        "minor": Severity.MEDIUM,
        "info": Severity.LOW,
        "low": Severity.LOW,
        "none": Severity.LOW,
    },
    severity_default=Severity.HIGH,
)


@dataclass(frozen=True)
class Severe:
    """A severity and what it was read from; `why` is empty where the map knows the value."""

    severity: Severity
    label: str
    value: str
    why: str


def service_name(labels: Mapping[str, str], reading: Reading = SHIPPED) -> str | None:
    """What the alert calls its service, translated by the map; None when it names none."""
    for text in reading.steps:
        found = parse_step(text).read(labels)
        if found:
            return reading.names.get(found) or reading.names.get(found.lower()) or found
    return None


def severity_of(labels: Mapping[str, str], reading: Reading = SHIPPED) -> Severe:
    said = {name: labels.get(name, "").strip() for name in reading.severity_labels}
    label = next((name for name, value in said.items() if value), "")
    value = said.get(label, "")
    known = reading.severity_values.get(value.lower()) if value else None
    why = ""
    if not value:
        why = "The alert has none of the severity map's labels."
    elif known is None:
        why = f"The severity map does not know {label} {value[:80]!r}."
    return Severe(Severity(known or reading.severity_default), label, value, why)


def slugs_for(named: str) -> list[tuple[str, str]]:
    """(namespace, slug) of the services that `named` may mean, the likeliest first; the
    namespace is "" where any will do."""
    lower = named.lower()
    namespace, slash, last = lower.rpartition("/")
    exact = [(namespace, last)] if slash else []
    return [*exact, ("", lower), ("", slug_of(named))]


def slug_of(named: str) -> str:
    """`named` as a slug that the catalogue accepts; "" when nothing of it is left."""
    return _NOT_IN_SLUGS.sub("-", named.lower())[:SLUG_LENGTH].strip("._-")


def key_name(named: str) -> str:
    """What stands in correlation keys for a service that the catalogue does not know: the same
    for spellings that would find the same service there."""
    slug = slug_of(named)
    # a slug keeps neither other alphabets nor what is longer
    whole = named.isascii() and len(named) <= SLUG_LENGTH
    return slug if slug and whole else named.lower()


def title_of(name: str, annotations: Mapping[str, str], service: str | None) -> str:
    given = annotations.get("summary", "").strip() or annotations.get("title", "").strip()
    return (given or f"{name} on {service or 'an unnamed service'}")[:300]


def missing(named: str | None, *, known: bool, steps: Sequence[str]) -> str:
    """Why no service is linked, in words; empty when it is `known` to the catalogue."""
    if named is None:
        return (
            f"The alert names no service: none of {', '.join(steps) or 'no steps'} gives one, "
            "so no service is linked."
        )
    return "" if known else f"The service {named!r} is not in the catalogue, so it is not linked."
