"""An examination for a terminal: aligned tables in plain text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from correlation.doctor.examination import Examination, SourceReport
from correlation.doctor.looking import WINDOW_SECONDS
from correlation.doctor.tables import ago, table
from correlation.doctor.views import View
from correlation.units import humanised

SYMBOLS = {"found": "yes", "nothing": "NO", "unavailable": "unavailable"}


def as_text(found: Examination, at: float | None = None) -> str:
    """Sources, then an overview of services, then each service's sources in turn.

    `at` (epoch seconds) is the end of the time looked at where that was not now.
    """
    minutes = f"{WINDOW_SECONDS / 60:.0f} min"
    when = f"last {minutes}"
    if at:
        when = f"{minutes} before {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    lines = [
        f"Environment {found.environment}, the {when}",
        "",
        "SOURCES",
    ]
    lines += table(
        ("  SOURCE", "STATE", "VERSION", "LATENCY", "BREAKER", "REQUIRED", "DETAIL"),
        [_source(one) for one in found.sources],
    )
    for one in found.sources:
        lines += [f"  ! {one.label}: {said}" for said in one.advice]
        lines += [f"  ! {one.label} would not tell: {said}" for said in one.facts["not_told"]]
    if found.services:
        lines += ["", "SERVICES", *_overview(found)]
    for service in found.services:
        lines += ["", f"{service.slug} ({service.role})"]
        for view in service.views:
            lines += _view(view)
    lines += [f"! {said}" for said in found.advice]
    return "\n".join(lines)

    return f"{WINDOW_SECONDS / 60:.0f}"


def _source(one: SourceReport) -> tuple[str, ...]:
    latency = "-" if one.latency_seconds is None else humanised(one.latency_seconds, "s")
    configured = one.state != "not_configured"
    return (
        f"  {one.label}",
        one.state.replace("_", " "),
        one.version or "-",
        latency,
        one.breaker.replace("_", "-") or "-",
        ("yes" if one.required else "no") if configured else "-",
        one.detail,
    )


def _overview(found: Examination) -> list[str]:
    slugs = [one.slug for one in found.sources if one.state != "not_configured"]
    rows = []
    for service in found.services:
        states = {view.source: SYMBOLS[view.state] for view in service.views}
        rows.append((f"  {service.slug}", *(states.get(slug, "-") for slug in slugs), ""))
    return table(("  SERVICE", *(slug.upper() for slug in slugs), ""), rows)


def _view(view: View) -> Iterator[str]:
    head = f"  {view.source}: "
    if view.state == "unavailable":
        yield f"{head}unavailable"
        return
    yield head + summary(view)
    if view.facts.get("signals"):
        yield from table(
            ("SIGNAL", "VALUE", "NEWEST", "CALLS"),
            [
                (
                    one["signal"],
                    humanised(one["value"], one["unit"]),
                    ago(one["age_seconds"]),
                    ", ".join(one["peers"]),
                )
                for one in view.facts["signals"]
            ],
            indent="      ",
        )
    if view.facts.get("missing"):
        yield f"      no data: {', '.join(view.facts['missing'])}"
    for said in view.advice:
        yield f"      ! {said}"


def summary(view: View) -> str:
    """One line on what a source shows of a service; it must not be unavailable."""
    return _SUMMARIES[view.kind](view.facts)


def _metrics(facts: dict[str, Any]) -> str:
    if not facts["signals"]:
        return "no metrics"
    used = ", ".join(f"{one['name']} ({one['because']})" for one in facts["profiles"])
    return f"{len(facts['signals'])} signals by {used}"


def _logs(facts: dict[str, Any]) -> str:
    if not facts["lines"]:
        return "no lines"
    levels = ", ".join(f"{count} {level}" for level, count in facts["levels"].items())
    sure = "" if facts["counted"] else " at least"
    by = f", by label {' and '.join(facts['labels'])}" if facts["labels"] else ""
    newest = facts["newest_age_seconds"]
    seen = f", newest {ago(newest)}" if newest is not None else ""
    return f"{facts['lines']} lines{sure} ({levels}){seen}{by}"


def _traces(facts: dict[str, Any]) -> str:
    said = f"{facts['spans']} spans in the traces read"
    if facts["spans"]:
        said += f", {facts['failed_spans']} failed, newest {ago(facts['newest_age_seconds'])}"
    if facts["failed_share"] is not None:
        said += f" ({humanised(facts['failed_share'], 'ratio')} of an ordinary sample)"
    if facts["error_ratio"] is not None:
        said += f", error ratio {humanised(facts['error_ratio'], 'ratio')} of all"
    if facts["calls"]:
        said += f", calls {', '.join(facts['calls'])}"
    if facts["called_by"]:
        said += f", called by {', '.join(facts['called_by'])}"
    return said


def _cluster(facts: dict[str, Any]) -> str:
    if not facts["pods_total"]:
        said = "no pods"
    else:
        said = f"{facts['pods_ready']} of {facts['pods_total']} pods ready"
        said += f", {facts['restarts']} restarts, in {', '.join(facts['namespaces'])}"
    for one in facts["trouble"]:
        said += f"; {one['workload']}: {one['reason']} x{one['count']}"
    for title in facts["changes"]:
        said += f"; changed: {title}"
    return said


_SUMMARIES = {"prometheus": _metrics, "loki": _logs, "tempo": _traces, "kubernetes": _cluster}
