"""The shape of an explanation: what a cause rests on, in parts that a page or a client can use.

Plain JSON. Evidence is named by its key where the ranking makes it, and by its correlation's id
once it is stored (`with_ids`). Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypedDict

from correlation.units import span_in_words

Purpose = Literal["act", "change", "confirm", "refute", "compare", "blind_spot"]
Reason = Literal["alone", "victim", "later", "weaker"]


class Changed(TypedDict):
    """One signal that changed. `baseline` and `value` are in `unit`, `factor` is their ratio.

    `usual_low` and `usual_high` bound what the baseline held; None where a signal has no range.
    """

    evidence: str
    type: str
    service: str
    peer: str | None
    signal: str
    text: str
    baseline: float | None
    value: float | None
    factor: float | None
    usual_low: float | None
    usual_high: float | None
    unit: str
    onset_at: str | None
    query: str
    source: str


class Since(TypedDict):
    at: str
    uncertainty_seconds: float | None
    text: str


class Blamed(TypedDict):
    """The change that is blamed; `seconds_before` is its lead over the onset, None if unknown."""

    id: str
    evidence: str
    kind: str
    title: str
    at: str
    seconds_before: float | None
    text: str


class Against(TypedDict):
    """What speaks against the cause; `evidence` is "" where no single signal does."""

    evidence: str
    text: str


class Comparison(TypedDict):
    """Why the runner-up lost, or what this cause lost to; `service` is "" when there is no other.

    `score` and `their_score` are what the evidence of each weighs, 0..1.
    """

    service: str
    outcome: Literal["alone", "ahead", "behind"]
    reason: Reason
    score: float
    their_score: float | None
    text: str


class Named(TypedDict):
    """The rule that named the kind, and on what; `adjusted` is what raised or capped its score."""

    name: str
    shipped: bool
    because: str
    adjusted: list[str]
    text: str


class Check(TypedDict):
    """What to look at or do next; `evidence` opens it, "" where there is nothing to open."""

    purpose: Purpose
    text: str
    evidence: str


class Sureness(TypedDict):
    """What the first cause's confidence means and what keeps it from being higher.

    `odds` is how many of such answers are right ("9 of 10"), by the calibration of that version,
    fitted on `cases` labelled cases.
    """

    odds: str
    held_back: list[str]
    calibration: str
    cases: int


class Reasoning(TypedDict):
    """Everything said for and against one cause.

    `changes` are lines that say why this change is to blame and not the newest, or why none is.
    `unexplained` says in words that nothing is against it, or that this cannot be known.
    """

    changed: list[Changed]
    since: Since | None
    change: Blamed | None
    changes: list[str]
    against: list[Against]
    unexplained: str
    comparison: Comparison
    rule: Named
    checks: list[Check]


def with_ids(reasoning: Reasoning, id_of: Callable[[str], str]) -> Reasoning:
    """The same with each evidence key replaced by `id_of(key)`."""

    def named(key: str) -> str:
        return id_of(key) if key else ""

    change = reasoning["change"]
    return {
        **reasoning,
        "changed": [{**one, "evidence": named(one["evidence"])} for one in reasoning["changed"]],
        "change": change and {**change, "evidence": named(change["evidence"])},
        "against": [{**one, "evidence": named(one["evidence"])} for one in reasoning["against"]],
        "checks": [{**one, "evidence": named(one["evidence"])} for one in reasoning["checks"]],
    }


def in_lines(reasoning: Reasoning) -> str:
    """Plain text, one "Label: text" a line, always in this order.

    Changed (one a kind of signal, strongest first), Since, Change (what, then why), Against,
    Runner-up (or Ranked below), Rule (which named the kind, then those that moved the score),
    Check next (the first check only).
    """
    lines = [f"Changed: {one['text']}{_usually(one)}" for one in reasoning["changed"]]
    if reasoning["since"]:
        lines.append(f"Since: {reasoning['since']['text']}")
    if reasoning["change"]:
        lines.append(f"Change: {reasoning['change']['text']}")
    lines += [f"Change: {text}" for text in reasoning["changes"]]
    lines += [f"Against: {one['text']}" for one in reasoning["against"]]
    if not reasoning["against"]:
        lines.append(f"Against: {reasoning['unexplained']}")
    behind = reasoning["comparison"]["outcome"] == "behind"
    lines.append(f"{'Ranked below' if behind else 'Runner-up'}: {reasoning['comparison']['text']}")
    lines.append(f"Rule: {reasoning['rule']['text']}")
    lines += [f"Rule: {text}" for text in reasoning["rule"]["adjusted"]]
    lines += [f"Check next: {one['text']}" for one in reasoning["checks"][:1]]
    return "\n".join(" ".join(line.split()) for line in lines)


def _usually(one: Changed) -> str:
    usual = usual_range(one)
    return f" (usually {usual})" if usual else ""


def usual_range(one: Changed) -> str:
    """ "0.1 % to 1.6 %"; "" where the signal has no usual range."""
    if one["usual_low"] is None or one["usual_high"] is None:
        return ""
    return span_in_words(one["usual_low"], one["usual_high"], one["unit"])


def moment(at: float) -> str:
    """Epoch seconds as RFC 3339 with milliseconds: 2027-01-15T08:00:05.000Z."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
