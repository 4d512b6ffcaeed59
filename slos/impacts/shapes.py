"""Figures as JSON and as the summary that lists and scripts read. Pure.

A figure is {"value", "formula", "inputs": [{"name", "value", "source"}], "missing"}.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from slos.burn import Events
from slos.impact import Figure, Proposal, Totals, money
from slos.impacts.computing import OfService, OfSLO
from slos.impacts.upstream import Upstream
from slos.models import SLOBreach

FIGURES = (
    "failed_requests",
    "users_affected",
    "users_affected_low",
    "users_affected_high",
    "revenue_at_risk_per_hour",
    "revenue_at_risk_total",
)


def figure_json(figure: Figure) -> dict[str, Any]:
    return {
        "value": number(figure.value),
        "formula": figure.formula,
        "inputs": [
            {
                "name": one.name,
                "value": number(one.value) if isinstance(one.value, float) else one.value,
                "source": one.source,
            }
            for one in figure.inputs
        ],
        "missing": figure.missing,
    }


def number(value: float | None) -> float | None:
    """What JSON can say; infinities and NaN are unknown."""
    return value if value is not None and math.isfinite(value) else None


def figures_json(totals: Totals, burned: Figure, proposal: Proposal | None) -> dict[str, Any]:
    """All figures of the incident by name, with the severity and its reason."""
    found = {name: figure_json(getattr(totals, name)) for name in FIGURES}
    found["error_budget_burned_percent"] = figure_json(burned)
    found["severity"] = {
        "value": proposal.severity if proposal else None,
        "formula": "by burn rate and tier; of several SLOs the worst",
        "inputs": [],
        "missing": "" if proposal else "an SLO of its services",
        "reason": proposal.reason if proposal else "",
    }
    return found


def service_json(one: OfService, breaches: Sequence[SLOBreach]) -> dict[str, Any]:
    names = ("failed_share", *FIGURES)
    return {
        "service": one.service.slug,
        "tier": one.service.tier,
        "counted_by": one.by.name if one.by else None,
        "figures": {name: figure_json(getattr(one.impact, name)) for name in names},
        "slos": [slo_json(slo, breaches) for slo in one.slos],
    }


def slo_json(one: OfSLO, breaches: Sequence[SLOBreach]) -> dict[str, Any]:
    mine = [breach for breach in breaches if breach.slo_id == one.slo.pk]
    return {
        "name": one.slo.name,
        "title": str(one.slo),
        "url": one.slo.get_absolute_url(),
        "target": one.slo.target,
        "during": events_json(one.counted.during),
        "before": events_json(one.counted.before),
        "burn_rate": number(one.burn),
        "budget_remaining": number(one.slo.budget_remaining),
        "budget_undecided": one.slo.is_undecided,
        "error_budget_burned_percent": figure_json(one.burned),
        "breached": bool(mine),
        "breaches": [
            {
                "what": breach.what,
                "started_at": breach.started_at.isoformat(),
                "ended_at": breach.ended_at.isoformat() if breach.ended_at else None,
                "peak_burn_rate": number(breach.peak_burn_rate),
            }
            for breach in mine
        ],
        "error": one.counted.error,
    }


def events_json(events: Events) -> dict[str, Any]:
    return {
        "good": number(events.good),
        "total": number(events.total),
        "sli": number(events.sli),
        "quality": events.quality.value,
    }


def upstream_json(one: Upstream) -> dict[str, Any]:
    return {
        "service": one.service.slug,
        "tier": one.service.tier,
        "hops": one.hops,
        "calls": one.via,
        "failed_share_now": number(one.now),
        "failed_share_before": number(one.before),
        "source": one.source,
    }


def summary(
    figures: dict[str, Any],
    slos: Sequence[OfSLO],
    breaches: Sequence[SLOBreach],
    *,
    currency: str,
    money_step: float,
    users_step: int,
    computed_at: str,
) -> dict[str, Any]:
    """`Incident.business_impact`: rounded, unknown is None."""
    breached = sorted({breach.slo.name for breach in breaches})

    def value(name: str) -> float | None:
        found: float | None = figures[name]["value"]
        return found

    def amount(name: str) -> float | None:
        rounded = money(value(name), f"{money_step:g}")
        return None if rounded is None else plain(float(rounded))

    def people(name: str) -> int | None:
        found = value(name)
        return None if found is None else round(found / users_step) * users_step

    burned, failed = value("error_budget_burned_percent"), value("failed_requests")
    return {
        "slos_breached": len(breached) if slos else None,
        "slos": breached,
        "users_affected": people("users_affected"),
        "users_affected_low": people("users_affected_low"),
        "users_affected_high": people("users_affected_high"),
        "failed_requests": None if failed is None else round(failed),
        "revenue_at_risk_per_hour": amount("revenue_at_risk_per_hour"),
        "revenue_at_risk_total": amount("revenue_at_risk_total"),
        "currency": currency,
        "error_budget_burned_percent": None if burned is None else round(burned, 3),
        "severity": figures["severity"]["value"],
        "severity_reason": figures["severity"]["reason"],
        "computed_at": computed_at,
        "frozen_at": None,
    }


def plain(value: float) -> float:
    """12.0 -> 12, so that JSON says 12."""
    return int(value) if value == int(value) else value
