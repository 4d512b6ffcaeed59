"""What the impact panel shows: figures with what they are made of, SLOs, the blast radius."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from incidents.as_it_was import affected_then
from incidents.live import Panel, register
from incidents.models import Incident
from slos import breaches
from slos.impacts.wording import between
from slos.models import SLO, IncidentImpact, SLOBreach
from timeline.models import Kind
from timeline.union import events_of

PARTS = {
    "users_affected": ("users_affected", "users_affected_low", "users_affected_high"),
    "failed_requests": ("failed_requests", "failed_share"),
    "revenue_at_risk_per_hour": ("revenue_at_risk_per_hour",),
    "revenue_at_risk_total": ("revenue_at_risk_total",),
}
WORDS = {
    "users_affected": "Users affected",
    "users_affected_low": "low",
    "users_affected_high": "high",
    "failed_requests": "Failed requests",
    "failed_share": "failed share",
    "revenue_at_risk_per_hour": "Revenue at risk per hour",
    "revenue_at_risk_total": "Revenue at risk so far",
    "error_budget_burned_percent": "Error budget burned",
}


@dataclass(frozen=True)
class Made:
    """How one number was made; `who` is the service or SLO it is about."""

    who: str
    words: str
    value: Any
    formula: str
    inputs: Sequence[Mapping[str, Any]]
    missing: str


@dataclass(frozen=True)
class Shown:
    """A figure of the panel: its words, value as text ("" unknown) and what it is made of."""

    name: str
    words: str
    text: str
    missing: str
    formula: str
    made: Sequence[Made]


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{state, shown: figures, severity, slos, upstream, computed_at, frozen, currency, error}.

    `state` is computed, told (of an earlier moment: what the timeline was told by then), waiting or
    unwatched.
    """
    row = IncidentImpact.objects.filter(pk=incident.pk).first()
    broken = list(breaches.of_incident(incident, as_of))
    shared = {"breached": _breached(broken, as_of), "currency": settings.IMPACT_CURRENCY}
    if as_of is not None and (row is None or row.computed_at is None or row.computed_at > as_of):
        return {**shared, **_told(incident, as_of)}
    if row is None or row.computed_at is None:
        services = [one.service_id for one in affected_then(incident, as_of)]
        watched = SLO.objects.filter(service__in=services, enabled=True).exists()
        over = incident.is_resolved or incident.merged_into_id is not None
        state = "waiting" if watched and not over else "unwatched"
        return {**shared, "state": state, "error": row.error if row else ""}
    slos = [{**slo, "service": one["service"]} for one in row.services for slo in one["slos"]]
    return {
        **shared,
        "state": "computed" if slos else "unwatched",
        "shown": list(figures_shown(row)),
        "severity": row.figures["severity"],
        "slos": sorted(slos, key=_worst_first),
        "upstream": row.upstream,
        "computed_at": row.computed_at,
        "frozen": row.frozen_at is not None,
        "error": row.error,
    }


def figures_shown(row: IncidentImpact) -> Iterator[Shown]:
    """The figures in the order of the panel, each with its parts by service."""
    figures = row.figures
    currency = str(settings.IMPACT_CURRENCY)
    for name, parts in PARTS.items():
        made = [
            _made(one["service"], part, one["figures"][part])
            for one in row.services
            for part in parts
        ]
        total = figures[name]
        yield Shown(
            name,
            WORDS[name],
            figure_text(name, figures, currency),
            total["missing"],
            total["formula"],
            made,
        )
    name = "error_budget_burned_percent"
    made = [_made(slo["title"], name, slo[name]) for one in row.services for slo in one["slos"]]
    text = figure_text(name, figures, currency)
    formula = "the largest of the SLOs"
    yield Shown(name, WORDS[name], text, figures[name]["missing"], formula, made)


def figure_text(name: str, figures: Mapping[str, Any], currency: str) -> str:
    """ "120 to 340", "12,000 USD", "3.4 %"; "" where it is unknown."""
    value = figures[name]["value"]
    if value is None:
        return ""
    if name == "users_affected":
        low = figures["users_affected_low"]["value"]
        high = figures["users_affected_high"]["value"]
        if low is not None and high is not None:
            return between(low, high, "").strip()
    if name.startswith("revenue"):
        return f"{value:,.0f} {currency}"
    if name.endswith("percent"):
        return f"{value:.3g} %" if value < 1000 else f"{value:,.0f} %"
    return f"{value:,.0f}"


def _made(who: str, name: str, figure: Mapping[str, Any]) -> Made:
    return Made(
        who, WORDS[name], figure["value"], figure["formula"], figure["inputs"], figure["missing"]
    )


def _worst_first(slo: Mapping[str, Any]) -> tuple[bool, float, str]:
    burn = slo["burn_rate"]
    return not slo["breached"], -(burn if burn is not None else 0.0), slo["name"]


def _breached(broken: Sequence[SLOBreach], as_of: datetime | None) -> list[dict[str, Any]]:
    """The SLOs of these breaches, each once: {slo, service, url, since, over}."""
    found: dict[Any, dict[str, Any]] = {}
    for row in broken:
        one = found.setdefault(
            row.slo_id,
            {
                "slo": str(row.slo),
                "service": row.slo.service.slug,
                "url": row.slo.get_absolute_url(),
                "since": row.started_at,
                "over": True,
            },
        )
        ended = row.ended_at is not None and (as_of is None or row.ended_at <= as_of)
        one["over"] = one["over"] and ended
    return list(found.values())


def _told(incident: Incident, as_of: datetime) -> dict[str, Any]:
    """The figures as the timeline was told last by then."""
    told = events_of(incident, as_of).filter(kind=Kind.IMPACT, recorded_at__lte=as_of)
    event = told.order_by("-recorded_at").first()
    if event is None:
        return {"state": "untold"}
    figures = {name: {"value": value} for name, value in event.data["figures"].items()}
    currency = str(settings.IMPACT_CURRENCY)
    shown = [
        Shown(name, words, figure_text(name, figures, currency), "", "", ())
        for name, words in WORDS.items()
        if name in figures and name not in ("users_affected_low", "users_affected_high")
    ]
    return {"state": "told", "shown": shown, "computed_at": event.occurred_at, "event": event}


def register_panel() -> None:
    register(Panel("impact", "slos/_impact.html", context, column="main", order=15))
