"""What an alert says it is about: its service, its severity and a title. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from incidents.models import Severity

SEVERITIES = {
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
}
SERVICE_LABELS = ("service", "app", "app_kubernetes_io_name", "deployment", "job")


def service_name(labels: Mapping[str, str]) -> str | None:
    """The first of SERVICE_LABELS it carries."""
    return next((labels[name] for name in SERVICE_LABELS if labels.get(name)), None)


def severity_of(labels: Mapping[str, str]) -> Severity:
    """By the `severity` (or `priority`) label; high when it says nothing we know."""
    said = (labels.get("severity") or labels.get("priority") or "").lower()
    return SEVERITIES.get(said, Severity.HIGH)


def title_of(name: str, annotations: Mapping[str, str], service: str | None) -> str:
    summary = annotations.get("summary") or annotations.get("title")
    return (summary or f"{name} on {service or 'an unnamed service'}")[:300]


def description_of(annotations: Mapping[str, str], named: str | None, known: bool) -> str:
    """The alert's own words, and what was missing: a service it names, `known` to us."""
    parts = [annotations.get("description", "")]
    if named is None:
        parts.append(
            "The alert names no service: none of the labels "
            f"{', '.join(SERVICE_LABELS)} is set, so no service is linked."
        )
    elif not known:
        parts.append(f"The service {named!r} is not in the catalogue, so it is not linked.")
    return "\n\n".join(part for part in parts if part)
