"""Breaches as alerts: stored and grouped like those of any sender.

Each environment has a source of its own, which has no token and takes nothing from outside. So
deduplication, grouping rules, maintenance and the hold-down hold for breaches too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import chain, count
from typing import Any

from django.conf import settings

from incidents.intake import deliveries, grouping
from incidents.models import AlertReading, AlertSource, Severity
from incidents.models.catalogue import PRODUCTION
from slos.impact import proposed_severity
from slos.models import SLO, SLOBreach

SLUG = "slo"
ALERT_NAME = "SLOBurnRate"
IGNORED = ["severity"]
"""The same breach is the same series, however severe it was taken for."""


def tell(begun: Sequence[SLOBreach], ended: Sequence[SLOBreach]) -> None:
    """Deliver the beginnings and ends of burn policies; in the caller's transaction.

    A budget that is spent is no alert of its own: what spent it was one.
    """
    by_environment: dict[str, list[dict[str, Any]]] = {}
    for breach in (*begun, *ended):
        if tells(breach):
            alerts = by_environment.setdefault(breach.slo.service.environment, [])
            alerts.append(alert_of(breach))
    for environment, alerts in sorted(by_environment.items()):
        body = {"alerts": alerts}
        source = source_of(environment)
        text = json.dumps(body, indent=1)
        delivery = deliveries.take(source, AlertSource.Kind.INTERNAL, body, text)
        grouping.wake(delivery.pk)


def tells(breach: SLOBreach) -> bool:
    if breach.severity == SLOBreach.Severity.TICKET:
        return bool(settings.SLO_TICKETS_OPEN_INCIDENTS)
    return breach.severity == SLOBreach.Severity.PAGE


def source_of(environment: str) -> AlertSource:
    """The internal source of an environment, made when it is needed first."""
    internal = AlertSource.objects.filter(kind=AlertSource.Kind.INTERNAL, environment=environment)
    source = internal.order_by("created_at").first()
    if source is not None:
        return source
    slug = _free_slug(SLUG if environment == PRODUCTION else f"{SLUG}-{environment}"[:60])
    # whatever the installation's map says of others: these labels are ours
    AlertReading.objects.get_or_create(
        scope=slug,
        defaults={
            "service_steps": ["service"],
            "severity_labels": ["severity"],
            "severity_values": {value: value for value in Severity.values},
        },
    )
    return AlertSource.objects.create(
        slug=slug,
        kind=AlertSource.Kind.INTERNAL,
        environment=environment,
        ignored_labels=IGNORED,
    )


def _free_slug(wanted: str) -> str:
    """The slug, or one like it where somebody named a sender so."""
    taken = set(AlertSource.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    others = (f"{wanted}-{number}" for number in count(2))
    return next(slug for slug in chain([wanted], others) if slug not in taken)


def labels_of(breach: SLOBreach) -> dict[str, str]:
    """What makes the breach's series: the same policy of the same SLO is one for ever."""
    return {
        "alertname": ALERT_NAME,
        "service": breach.slo.service.slug,
        "slo": breach.slo.name,
        "policy": breach.policy,
        "page_or_ticket": breach.severity,
    }


def alert_of(breach: SLOBreach) -> dict[str, Any]:
    """The breach in the form of Alertmanager's webhook."""
    slo = breach.slo
    severity, reason = severity_of(breach)
    alert: dict[str, Any] = {
        "status": "firing" if breach.is_open else "resolved",
        "labels": {**labels_of(breach), "severity": severity},
        "annotations": {
            "summary": f"{slo.service.slug}: {slo} {breach.what}",
            "description": f"{_burns(breach)} {reason.capitalize()}.",
        },
        "generatorURL": f"{settings.STUDIO_URL}{slo.get_absolute_url()}",
        "startsAt": breach.started_at.isoformat(),
    }
    if breach.ended_at is not None:
        alert["endsAt"] = breach.ended_at.isoformat()
    return alert


def severity_of(breach: SLOBreach) -> tuple[str, str]:
    """(severity, why): of a page by burn rate and tier, of a ticket always low."""
    if breach.severity == SLOBreach.Severity.TICKET:
        return Severity.LOW.value, "a ticket, not a page"
    proposed = proposed_severity(
        breach.peak_burn_rate, breach.slo.service.tier, page_factors(breach.slo)
    )
    return proposed.severity, proposed.reason


def page_factors(slo: SLO) -> list[float]:
    return [p["factor"] for p in slo.policies if p["severity"] == "page"]


def _burns(breach: SLOBreach) -> str:
    if breach.burn_rate is None:
        return f"More than {breach.factor:.3g} times as fast as the budget allows."
    return (
        f"It burns {breach.burn_rate:.3g} times as fast as its budget allows; "
        f"more than {breach.factor:.3g} is too much."
    )


def keys_of(breaches: Iterable[SLOBreach]) -> set[tuple[str, str]]:
    """(SLO name, policy) of each: what their alerts' labels say."""
    return {(breach.slo.name, breach.policy) for breach in breaches}
