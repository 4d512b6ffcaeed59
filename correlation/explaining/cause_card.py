"""What a cause's card shows: its reasoning, each claim with the evidence that opens from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from correlation.explaining.reasoning import Changed, Purpose, Reasoning, usual_range
from correlation.models import Correlation, RootCause
from correlation.units import digits

LINKS = 2


@dataclass(frozen=True)
class Line:
    """One claim: its text, a remark in smaller letters, and the evidence behind it, if any."""

    text: str
    remark: str = ""
    row: Correlation | None = None


@dataclass(frozen=True)
class Step:
    """Something to do or to look at, with the evidence it is about and links that open it."""

    purpose: Purpose
    text: str
    row: Correlation | None
    links: list[dict[str, str]]


@dataclass(frozen=True)
class Card:
    """A cause in parts; `more` pieces of evidence support it beyond those in `changed`."""

    changed: list[Line]
    more: int
    since: datetime | None
    uncertainty_seconds: float | None
    change: Line | None
    changes: list[str]
    against: list[Line]
    unexplained: str
    ahead: bool
    comparison: str
    rule: list[str]
    steps: list[Step]


def card_of(cause: RootCause, by_id: Mapping[str, Correlation]) -> Card | None:
    """The card of a stored cause, `by_id` the evidence of its run; None for runs without parts."""
    if not cause.reasoning:
        return None
    reasoning: Reasoning = cause.reasoning
    since, change = reasoning["since"], reasoning["change"]
    rule = reasoning.get("rule")  # runs from before rules were told have none
    shown = {one["evidence"] for one in reasoning["changed"]}
    return Card(
        changed=[
            Line(one["text"], _remark(one), by_id.get(one["evidence"]))
            for one in reasoning["changed"]
        ],
        more=sum(1 for key in cause.supporting if key in by_id and key not in shown),
        since=datetime.fromisoformat(since["at"]) if since else None,
        uncertainty_seconds=since["uncertainty_seconds"] if since else None,
        change=Line(change["text"], "", by_id.get(change["evidence"])) if change else None,
        changes=[*reasoning.get("changes", [])],
        against=[Line(one["text"], "", by_id.get(one["evidence"])) for one in reasoning["against"]],
        unexplained=reasoning["unexplained"],
        ahead=reasoning["comparison"]["outcome"] != "behind",
        comparison=reasoning["comparison"]["text"],
        rule=[rule["text"], *rule["adjusted"]] if rule else [],
        steps=steps_of(reasoning["checks"], by_id),
    )


def steps_of(checks: Any, by_id: Mapping[str, Correlation]) -> list[Step]:
    """Stored checks with the evidence they point at and up to LINKS links to it."""
    return [
        Step(
            check["purpose"],
            check["text"],
            row := by_id.get(check["evidence"]),
            [link for link in row.links if not link.get("trace_id")][:LINKS] if row else [],
        )
        for check in checks
    ]


def _remark(one: Changed) -> str:
    """ "usually 0 % to 1.6 %, 24 times as much"; a fall is told by its values alone."""
    said = []
    if usual := usual_range(one):
        said.append(f"usually {usual}")
    if one["factor"] is not None and one["factor"] >= 1.5:
        said.append(f"{digits(one['factor'], 2)} times the baseline")
    return ", ".join(said)
