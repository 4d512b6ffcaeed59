"""The evidence in a report: what moved, with the query that shows it and its plot."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from correlation.explaining.evidence_facts import facts
from correlation.models import Correlation, confidence_band
from correlation.panels import one_of_each_first
from correlation.plots.drawing import drawing_of
from correlation.plots.evidence_subject import plot_path, subject_of
from correlation.reporting.standing_run import finite, standing_of
from correlation.signal_labels import label_of
from correlation.templatetags.evidence import in_its_unit, plot_key
from incidents.models import Incident
from timeline.reporting.markdown import bullets, clock, escaped, percent
from timeline.reporting.sections import Section

MOST_ROWS = 10
MOST_SAMPLES = 2
SAMPLE_LETTERS = 400


def gather(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{rows: the most telling MOST_ROWS, total}; a row's `plot` is its drawing, or None.

    What supports the first cause comes first, one of each type at least.
    """
    found = standing_of(incident, as_of)
    rows = list(found.by_id.values())
    supporting = set(found.top.supporting) if found.top else set()
    telling = sorted(rows, key=lambda row: (str(row.pk) not in supporting, row.rank))
    chosen = one_of_each_first(telling)[:MOST_ROWS]
    chosen.sort(key=lambda row: (str(row.pk) not in supporting, row.rank))
    return {
        "total": len(rows),
        "rows": [_row(row, incident, str(row.pk) in supporting) for row in chosen],
    }


def _row(row: Correlation, incident: Incident, supports: bool) -> dict[str, Any]:
    drawing = drawing_of(subject_of(row, incident))
    return {
        "id": row.pk,
        "type": row.type,
        "title": row.title,
        "service": row.service,
        "peer": row.peer,
        "signal": label_of(row.signal),
        "source": row.source,
        "supports": supports,
        "confidence": finite(row.confidence_score),
        "band": confidence_band(row.confidence_score),
        "onset_at": row.onset_at,
        "baseline": finite(row.baseline),
        "value": finite(row.value),
        "unit": row.unit,
        "baseline_text": in_its_unit(row.baseline, row),
        "value_text": in_its_unit(row.value, row),
        "facts": facts(row.type, row.signal, row.value, row.details),
        "samples": [_cut(str(line)) for line in row.details.get("samples", [])[:MOST_SAMPLES]],
        "query": row.query,
        "plot_key": plot_key(row) if drawing is not None else [],
        "plot": asdict(drawing) if drawing is not None else None,
        "plot_url": plot_path(row, incident),
    }


def _cut(text: str) -> str:
    return text if len(text) <= SAMPLE_LETTERS else f"{text[: SAMPLE_LETTERS - 1]}…"


def markdown(data: dict[str, Any]) -> str:
    if not data["rows"]:
        return "No evidence was found."
    parts = [_row_markdown(row) for row in data["rows"]]
    left = data["total"] - len(data["rows"])
    if left > 0:
        parts.append(f"{left} weaker piece{'s' if left > 1 else ''} of evidence left out here.")
    return "\n\n".join(parts)


def _row_markdown(row: dict[str, Any]) -> str:
    parts = [f"### {escaped(row['title'])}"]
    told = [f"{row['type']}, confidence {percent(row['confidence'])} ({row['band']})"]
    if row["onset_at"]:
        told.append(f"since {clock(row['onset_at'])}")
    if row["value"] is not None:
        told.append(f"{row['value_text']}, before {row['baseline_text']}")
    parts.append(escaped("; ".join(told)))
    if row["facts"]:
        parts.append(bullets(f"{escaped(label)}: {escaped(text)}" for label, text in row["facts"]))
    if row["plot_url"]:
        said = escaped(row["plot"]["description"])
        parts.append(f"![{said}]({row['plot_url']}?theme=light)")
    if row["query"]:
        parts.append(_fenced(row["query"]))
    return "\n\n".join(parts)


def _fenced(text: str) -> str:
    """A block that no text can close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


SECTION = Section("evidence", "Evidence", 50, gather, "correlation/_report_evidence.html", markdown)
