"""The root cause in a report: ranked causes with their reasoning, as they stood when written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from correlation.explaining.cause_card import Card, card_of, steps_of
from correlation.models import Analysis, CauseVerdict, RootCause, confidence_band
from correlation.reporting.standing_run import Standing, standing_of
from incidents.models import Incident
from timeline.reporting.markdown import bullets, clock, escaped, percent
from timeline.reporting.sections import Section


def gather(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{status, run: id and times, causes: [...], missing, steps, sureness, sources}.

    `status` is the standing run's, "failed" or "none" where none came to an end.
    """
    found = standing_of(incident, as_of)
    run = found.run
    if run is None:
        newest = found.newest
        failed = newest is not None and newest.status == Analysis.Status.FAILED
        error = newest.error if newest is not None and failed else ""
        return {"status": "failed" if failed else "none", "error": error, "causes": []}
    return {
        "status": run.status,
        "error": "",
        "run": {"id": run.pk, "reason": run.reason, "finished_at": run.finished_at},
        "causes": [_cause(cause, found) for cause in found.causes],
        "missing": run.missing,
        "steps": [step.text for step in steps_of(run.checks, found.by_id)],
        "sureness": run.sureness,
        "sources": [
            {"slug": slug, "kind": one["kind"], "status": one["status"], "detail": one["detail"]}
            for slug, one in sorted(run.sources.items())
        ],
    }


def _cause(cause: RootCause, found: Standing) -> dict[str, Any]:
    card = card_of(cause, found.by_id)
    verdict = found.verdicts.get((cause.service, cause.kind))
    return {
        "rank": cause.rank,
        "title": cause.title,
        "service": cause.service,
        "kind": cause.kind.replace("_", " "),
        "confidence": cause.confidence,
        "band": confidence_band(cause.confidence),
        "verdict": _verdict(verdict),
        "card": _card(card) if card is not None else None,
        "lines": [] if card is not None else cause.explanation.splitlines(),
    }


def _verdict(verdict: CauseVerdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "verdict": verdict.verdict,
        "by": verdict.by.username if verdict.by else "an API token",
        "at": verdict.at,
        "reason": verdict.reason,
    }


def _card(card: Card) -> dict[str, Any]:
    return {
        "changed": [{"text": line.text, "remark": line.remark} for line in card.changed],
        "more": card.more,
        "since": card.since,
        "uncertainty_seconds": card.uncertainty_seconds,
        "change": card.change.text if card.change else None,
        "changes": card.changes,
        "against": [line.text for line in card.against],
        "unexplained": card.unexplained,
        "ahead": card.ahead,
        "comparison": card.comparison,
        "rule": card.rule,
        "steps": [step.text for step in card.steps],
    }


def markdown(data: dict[str, Any]) -> str:
    if data["status"] == "failed":
        return f"The analysis failed: {escaped(data['error'] or 'no reason was recorded')}"
    if data["status"] == "none":
        return "No analysis was made."
    parts = []
    if data["status"] == Analysis.Status.INCONCLUSIVE:
        parts.append("**Inconclusive.** The evidence does not point to one cause.")
        if data["missing"]:
            parts.append(f"Why there is no answer:\n\n{bullets(map(escaped, data['missing']))}")
    parts += [_cause_markdown(cause) for cause in data["causes"]]
    if not data["causes"]:
        parts.append("The analysis named no cause.")
    silent = [one for one in data["sources"] if one["status"] in ("unavailable", "partial")]
    if silent:
        lines = (
            f"{escaped(one['slug'])} ({one['status']}): {escaped(one['detail'])}" for one in silent
        )
        parts.append(f"Sources that did not answer in full:\n\n{bullets(lines)}")
    return "\n\n".join(parts)


def _cause_markdown(cause: dict[str, Any]) -> str:
    parts = [
        f"### {cause['rank']}. {escaped(cause['title'])}",
        f"{escaped(cause['service'])}, {escaped(cause['kind'])}; "
        f"confidence {percent(cause['confidence'])} ({cause['band']})",
    ]
    if cause["verdict"]:
        said = cause["verdict"]
        why = f": {escaped(said['reason'])}" if said["reason"] else ""
        parts.append(f"{said['verdict'].capitalize()} by {escaped(said['by'])}{why}")
    lines = [escaped(line) for line in cause["lines"]]
    if card := cause["card"]:
        lines += [_changed(line) for line in card["changed"]]
        if card["since"]:
            lines.append(f"Since {clock(card['since'])}")
        told = [card["change"], *card["changes"]]
        lines += [f"Change: {escaped(text)}" for text in told if text]
        against = card["against"] or [card["unexplained"]]
        lines += [f"Against: {escaped(text)}" for text in against]
        behind = "Runner-up" if card["ahead"] else "Ranked below"
        lines.append(f"{behind}: {escaped(card['comparison'])}")
        lines += [f"Named by: {escaped(text)}" for text in card["rule"]]
    return "\n\n".join([*parts, bullets(lines)])


def _changed(line: dict[str, str]) -> str:
    remark = f" ({escaped(line['remark'])})" if line["remark"] else ""
    return f"Changed: {escaped(line['text'])}{remark}"


SECTION = Section(
    "root_cause", "Root cause", 40, gather, "correlation/_report_causes.html", markdown
)
