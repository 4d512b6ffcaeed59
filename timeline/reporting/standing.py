"""What a report says of the incident itself: summary, its four durations, what it cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from incidents.durations import durations
from incidents.models import AffectedService, Incident
from timeline.narrate import human
from timeline.reporting.markdown import bullets, clock, escaped, percent, quoted, table
from timeline.reporting.sections import Section

UNKNOWN = "unknown"
MEASURES = (
    # name, words, column of the end
    ("TTD", "Time to detect", "detected_at"),
    ("MTTA", "Time to acknowledge", "acknowledged_at"),
    ("TTM", "Time to mitigate", "mitigated_at"),
    ("MTTR", "Time to resolve", "resolved_at"),
)
IMPACT_ROWS = (
    # key of Incident.business_impact, label
    ("slos_breached", "SLOs breached"),
    ("error_budget_burned_percent", "Error budget burned, percent"),
    ("failed_requests", "Failed requests"),
    ("users_affected", "Users affected"),
    ("revenue_at_risk_per_hour", "Revenue at risk per hour"),
    ("revenue_at_risk_total", "Revenue at risk in all"),
    ("severity", "Severity by impact"),
)
OPENED_BY = {
    Incident.Source.ALERT: "an alert",
    Incident.Source.HEARTBEAT: "a heartbeat that fell silent",
    Incident.Source.LAB: "the failure lab",
    Incident.Source.API: "the API",
    Incident.Source.BACKFILL: "history that was read in",
}


def affected_of(incident: Incident) -> list[AffectedService]:
    return list(incident.affected.select_related("service"))


def summary(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{sentences: plain text, description, root_cause, resolution: as people wrote them}."""
    return {
        "sentences": list(_sentences(incident)),
        "description": incident.description,
        "root_cause": incident.root_cause,
        "resolution": incident.resolution,
    }


def _sentences(incident: Incident) -> list[str]:
    names = [row.service.slug for row in affected_of(incident)]
    where = _listed(names) if names else "no service that is named"
    opened = OPENED_BY.get(Incident.Source(incident.source), "a person")
    said = [
        f"A {incident.severity} incident in {incident.environment} that affected {where}; "
        f"opened by {opened}."
    ]
    took = durations(incident)
    steps = [f"detected after {human(took.ttd.total_seconds())}" if took.ttd else "detected"]
    for verb, span in (("acknowledged", took.mtta), ("mitigated", took.ttm)):
        told = f"not {verb}" if span is None else f"{verb} after {human(span.total_seconds())}"
        steps.append(told)
    if took.mttr is not None:
        steps.append(f"resolved after {human(took.mttr.total_seconds())}")
    else:
        steps.append(f"{incident.status} now")
    said.append(f"It was {', '.join(steps[:-1])} and {steps[-1]}.")
    if incident.top_cause:
        sure = incident.top_cause_confidence
        how = f", with a confidence of {percent(sure)}" if sure is not None else ""
        said.append(f"Most likely cause: {incident.top_cause.rstrip('.')}{how}.")
    else:
        said.append("The analysis named no cause.")
    if incident.closed_as:
        said.append(
            f"It was closed as {incident.get_closed_as_display().lower()} and counts in no average."
        )
    return said


def _listed(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more services"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def summary_markdown(data: dict[str, Any]) -> str:
    parts = [" ".join(escaped(sentence) for sentence in data["sentences"])]
    for key, words in (
        ("description", "As it was reported"),
        ("root_cause", "Root cause, as recorded"),
        ("resolution", "What fixed it"),
    ):
        if data[key]:
            parts.append(f"**{words}**\n\n{quoted(data[key])}")
    return "\n\n".join(parts)


def metrics(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{rows: [{name, words, formula, start, end, seconds, text}], ratio, recovered, not_...}."""
    affected = affected_of(incident)
    recovered = [row.service.slug for row in affected if row.recovered_at is not None]
    took = durations(incident)
    spans = (took.ttd, took.mtta, took.ttm, took.mttr)
    return {
        "rows": [
            {
                "name": name,
                "words": words,
                "formula": f"{end} - started_at",
                "start": incident.started_at,
                "end": getattr(incident, end),
                "seconds": span.total_seconds() if span is not None else None,
                "text": human(span.total_seconds()) if span is not None else "did not happen",
            }
            for (name, words, end), span in zip(MEASURES, spans, strict=True)
        ],
        "ratio": f"{len(recovered)}/{len(affected)}" if affected else "",
        "recovered": recovered,
        "not_recovered": [row.service.slug for row in affected if row.recovered_at is None],
    }


def recovered_words(data: dict[str, Any]) -> str:
    """ "2/3" and which are not known to have recovered."""
    if not data["ratio"]:
        return "no service is named"
    rest = data["not_recovered"]
    return f"{data['ratio']}, not confirmed: {', '.join(rest)}" if rest else str(data["ratio"])


def metrics_markdown(data: dict[str, Any]) -> str:
    rows = [
        (row["words"], row["text"], row["formula"], clock(row["end"]) or "-")
        for row in data["rows"]
    ]
    told = table(("Measure", "Value", "Formula", "At"), rows)
    began = clock(data["rows"][0]["start"])
    return (
        f"Started {began}.\n\n{told}\n\n"
        f"Services confirmed recovered: {escaped(recovered_words(data))}."
    )


def impact(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{known, rows: [{label, value: text or None}], formulas, failed_for, services}.

    Values are those of `Incident.business_impact`; without it nothing is known, which is not 0.
    `users` and `revenue_per_hour` of a service are the catalogue's.
    """
    told = incident.business_impact or {}
    took = durations(incident)
    mitigated = took.ttm is not None
    span = took.ttm if mitigated else took.mttr
    return {
        "known": bool(told),
        "rows": [{"label": label, "value": _told(told, key)} for key, label in IMPACT_ROWS],
        "formulas": [str(line) for line in told.get("formulas", [])],
        "failed_for": {
            "text": UNKNOWN if span is None else human(span.total_seconds()),
            "seconds": None if span is None else span.total_seconds(),
            "formula": f"{'mitigated_at' if mitigated else 'resolved_at'} - started_at",
        },
        "services": [
            {
                "slug": row.service.slug,
                "name": row.service.name,
                "impact": row.impact,
                "tier": row.service.tier,
                "users": row.service.users,
                "revenue_per_hour": _amount(row.service.revenue_per_hour),
                "recovered_at": row.recovered_at,
            }
            for row in affected_of(incident)
        ],
    }


def _amount(given: Decimal | None) -> float | None:
    return None if given is None else float(given)


def _told(told: dict[str, Any], key: str) -> str | None:
    """A value of `Incident.business_impact` in words; None where it is unknown."""
    given = told.get(key)
    value = _value(given)
    if value is None:
        return None
    if key == "slos_breached" and told.get("slos"):
        return f"{value}: {', '.join(told['slos'])}"
    low, high = told.get(f"{key}_low"), told.get(f"{key}_high")
    if low is not None and high is not None and low != high:
        return f"{value} ({_value(low)} to {_value(high)})"
    if key.startswith("revenue") and told.get("currency"):
        return f"{value} {told['currency']}"
    return value


def _value(given: Any) -> str | None:
    if given is None:
        return None
    if isinstance(given, list):
        return ", ".join(str(one) for one in given) or "none"
    if isinstance(given, int | float) and not isinstance(given, bool):
        return f"{given:,.2f}".rstrip("0").rstrip(".")
    return str(given)


def impact_markdown(data: dict[str, Any]) -> str:
    failed = data["failed_for"]
    lines = [f"Failed for {failed['text']} ({escaped(failed['formula'])})."]
    if data["known"]:
        lines += [f"{row['label']}: {escaped(row['value'] or UNKNOWN)}" for row in data["rows"]]
        lines += [f"Formula: {escaped(line)}" for line in data["formulas"]]
    else:
        lines.append("Users, revenue and error budget: unknown. No SLO or impact data is there.")
    head = ("Service", "Impact", "Users", "Revenue per hour", "Recovered")
    rows = [
        (
            row["slug"],
            row["impact"],
            UNKNOWN if row["users"] is None else f"{row['users']:,}",
            UNKNOWN if row["revenue_per_hour"] is None else f"{row['revenue_per_hour']:,.0f}",
            clock(row["recovered_at"]) or "not confirmed",
        )
        for row in data["services"]
    ]
    told = table(head, rows)
    note = "\n\nUsers and revenue of a service are the catalogue's." if told else ""
    return f"{bullets(lines)}\n\n{told}{note}".strip()


SUMMARY = Section(
    "summary", "Summary", 10, summary, "timeline/_report_summary.html", summary_markdown
)
METRICS = Section(
    "metrics", "Metrics", 20, metrics, "timeline/_report_metrics.html", metrics_markdown
)
IMPACT = Section("impact", "Impact", 30, impact, "timeline/_report_impact.html", impact_markdown)
