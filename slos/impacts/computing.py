"""Counts, users and revenue to the figures of an incident. Pure but for reading columns.

Of a service its ratio SLO with the most failed requests counts: several look at the same requests,
and adding them up would count each twice. Of the services the largest figure counts
(`impact.totals`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from incidents.models import Service
from slos.burn import Events, burn_rate
from slos.impact import (
    Figure,
    Input,
    Proposal,
    ServiceImpact,
    budget_burned_percent,
    failed_requests,
    proposed_severity,
    service_impact,
    unknown_impact,
)
from slos.impacts.counting import Counted, Span
from slos.models import SLO

NO_SLO = "no SLO counts its requests"
SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Whole:
    """Events of a whole period of an SLO, and how the number was come by."""

    total: float | None
    source: str


@dataclass(frozen=True)
class OfSLO:
    """What the incident did to one SLO; `burn` is the burn rate over the incident."""

    slo: SLO
    counted: Counted
    burn: float | None
    burned: Figure


@dataclass(frozen=True)
class OfService:
    """What the incident did to one service; `by` is the SLO whose requests were counted."""

    service: Service
    impact: ServiceImpact
    by: SLO | None
    slos: tuple[OfSLO, ...]


def of_slo(slo: SLO, counted: Counted, whole: Whole) -> OfSLO:
    burned = budget_burned_percent(counted.during, whole.total, slo.target)
    sources = (counted.source, whole.source, f"target of {slo.name}")
    inputs = tuple(
        Input(one.name, one.value, source or one.source)
        for one, source in zip(burned.inputs, sources, strict=True)
    )
    missing = counted.error or burned.missing
    figure = Figure(None if counted.error else burned.value, burned.formula, inputs, missing)
    return OfSLO(slo, counted, burn_rate(counted.during, slo.target), figure)


def whole_period(
    stored: Events,
    covered_seconds: float,
    usual: Events,
    usual_seconds: float,
    period_seconds: float,
) -> Whole:
    """Events of a period: what is stored of it, scaled up where that is less than all.

    From the hour before the incident where less than that is stored.
    """
    if stored.total > 0 and covered_seconds >= usual_seconds:
        scale = max(period_seconds / covered_seconds, 1.0)
        if scale < 1.01:
            return Whole(stored.total, "stored rows of the period")
        hours = covered_seconds / 3600
        return Whole(stored.total * scale, f"stored rows of {hours:.3g} h, scaled to the period")
    if usual.total > 0:
        scale = period_seconds / usual_seconds
        return Whole(usual.total * scale, "requests before the incident, scaled to the period")
    return Whole(None, "no events are stored yet")


def of_service(
    service: Service,
    slos: Sequence[OfSLO],
    span: Span,
    users: tuple[float | None, str],
) -> OfService:
    """The figures of one service from its ratio SLOs; unknown where it has none."""
    ratios = [one for one in slos if one.slo.indicator.get("kind") == "ratio"]
    if not ratios:
        return OfService(service, unknown_impact(service.slug, NO_SLO), None, tuple(slos))
    worst = max(ratios, key=lambda one: (_failed(one), one.slo.name))
    if worst.counted.error:
        why = f"{worst.slo.name}: {worst.counted.error}"
        return OfService(service, unknown_impact(service.slug, why), worst.slo, tuple(slos))
    revenue = service.revenue_per_hour
    made = service_impact(
        service.slug,
        during=worst.counted.during,
        before=worst.counted.before,
        seconds=span.seconds,
        users=Input("active users", users[0], users[1]),
        revenue_per_hour=Input(
            "revenue per hour",
            None if revenue is None else float(revenue),
            f"revenue of {service.slug} in the catalogue",
        ),
        events_source=f"{worst.slo.name}, {worst.counted.source}",
    )
    return OfService(service, made, worst.slo, tuple(slos))


def _failed(one: OfSLO) -> float:
    failed = failed_requests(one.counted.during, one.counted.before)
    return -1.0 if failed is None else failed


def severity_of(slos: Sequence[OfSLO], peaks: Mapping[UUID, float]) -> Proposal | None:
    """The worst that any SLO asks for, with its name; None where there is no SLO.

    `peaks` are the highest burn rates of their breaches; where there is none the burn rate over the
    incident counts.
    """
    proposals: list[tuple[int, str, Proposal]] = []
    for one in slos:
        known = [rate for rate in (peaks.get(one.slo.pk), one.burn) if rate is not None]
        factors = [p["factor"] for p in one.slo.policies if p["severity"] == "page"]
        made = proposed_severity(max(known, default=None), one.slo.service.tier, factors)
        named = Proposal(made.severity, f"{one.slo.name}: {made.reason}")
        proposals.append((SEVERITIES.index(made.severity), one.slo.name, named))
    return min(proposals)[2] if proposals else None
