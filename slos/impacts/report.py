"""The section of a report that says how the figures of the impact were made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from incidents.models import Incident
from slos import breaches
from slos.impacts.showing import figures_shown
from slos.models import IncidentImpact
from slos.templatetags.impact_words import budget_words, figure, share, spaced
from timeline.reporting.markdown import bullets, clock, escaped, table
from timeline.reporting.sections import Section

UNKNOWN = "unknown"


def gather(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{known, computed_at, figures: [{words, text, formula, made}], slos, upstream, breaches}.

    The newest computation: of an incident that is over the one that was frozen.
    """
    row = IncidentImpact.objects.filter(pk=incident.pk, computed_at__isnull=False).first()
    broken = list(breaches.of_incident(incident, as_of))
    told = [
        {
            "slo": str(one.slo),
            "service": one.slo.service.slug,
            "what": one.what,
            "peak_burn_rate": one.peak_burn_rate,
            "started_at": one.started_at,
            "ended_at": one.ended_at,
        }
        for one in broken
    ]
    if row is None:
        return {"known": False, "breaches": told}
    return {
        "known": any(one["slos"] for one in row.services),
        "computed_at": row.computed_at,
        "frozen": row.frozen_at is not None,
        "currency": str(settings.IMPACT_CURRENCY),
        "figures": [
            {
                "words": one.words,
                "text": one.text,
                "missing": one.missing,
                "formula": one.formula,
                "made": [
                    {
                        "who": part.who,
                        "words": part.words,
                        "value": part.value,
                        "formula": part.formula,
                        "missing": part.missing,
                        "inputs": [dict(given) for given in part.inputs],
                    }
                    for part in one.made
                ],
            }
            for one in figures_shown(row)
        ],
        "severity": row.figures["severity"],
        "slos": [{**slo, "service": one["service"]} for one in row.services for slo in one["slos"]],
        "upstream": row.upstream,
        "breaches": told,
    }


def markdown(data: dict[str, Any]) -> str:
    parts = [_breaches(data["breaches"])]
    if not data["known"]:
        parts.insert(0, "No SLO watched the affected services: what it cost is unknown.")
        return "\n\n".join(filter(None, parts))
    stands = "Frozen when it was resolved" if data["frozen"] else "So far"
    lines = [f"{stands}, computed {clock(data['computed_at'])}."]
    for one in data["figures"]:
        lines.append(f"**{escaped(one['words'])}**: {escaped(one['text'] or UNKNOWN)}")
        lines.append(bullets([_made(part) for part in one["made"]]))
    severity = data["severity"]
    if severity["value"]:
        lines.append(f"Severity by impact: {severity['value']}, {escaped(severity['reason'])}.")
    return "\n\n".join(filter(None, [*lines, _slos(data["slos"]), *parts, _upstream(data)]))


def _made(part: dict[str, Any]) -> str:
    value = UNKNOWN if part["value"] is None else figure(part["value"])
    inputs = "; ".join(
        f"{spaced(one['name'])} = {UNKNOWN if one['value'] is None else figure(one['value'])}"
        f" ({one['source']})"
        for one in part["inputs"]
    )
    lacks = f", {part['missing']}" if part["missing"] and part["value"] is None else ""
    where = f" with {inputs}" if inputs else ""
    return escaped(
        f"{part['who']}, {part['words'].lower()}: {value}{lacks} = {part['formula']}{where}"
    )


def _slos(rows: list[dict[str, Any]]) -> str:
    head = ("SLO", "Service", "In the incident", "Target", "Budget left", "Breached")
    return table(
        head,
        [
            (
                row["title"],
                row["service"],
                share(row["during"]["sli"]),
                share(row["target"]),
                budget_words(row),
                "yes" if row["breached"] else "no",
            )
            for row in rows
        ],
    )


def _breaches(rows: list[dict[str, Any]]) -> str:
    return bullets(
        [
            escaped(
                f"{row['slo']} of {row['service']} {row['what']} from {clock(row['started_at'])} "
                + (f"to {clock(row['ended_at'])}" if row["ended_at"] else "on")
            )
            for row in rows
        ]
    )


def _upstream(data: dict[str, Any]) -> str:
    rows = [
        (
            row["service"],
            row["calls"],
            share(row["failed_share_before"]),
            share(row["failed_share_now"]),
            row["source"],
        )
        for row in data["upstream"]
    ]
    told = table(("Caller", "Calls", "Failed before", "Failed", "Source"), rows)
    return f"Blast radius:\n\n{told}" if rows else ""


SECTION = Section("cost", "Impact in figures", 31, gather, "slos/_report_impact.html", markdown)
