"""Why a cause is ranked where it is: the parts of its explanation. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from correlation.blame import Suspect
from correlation.changes.story import landed, why_change
from correlation.explaining.next_checks import checks_for
from correlation.explaining.proofs import own_evidence
from correlation.explaining.reasoning import (
    Against,
    Blamed,
    Changed,
    Comparison,
    Named,
    Reason,
    Reasoning,
    Since,
    moment,
)
from correlation.symptoms import Graph
from correlation.telemetry import Evidence
from correlation.units import clock, seconds_in_words

if TYPE_CHECKING:
    from correlation.ranking import Hypothesis

MAX_CHANGED = 4
MAX_AGAINST = 2
VICTIM = 0.3
"""From this share explained by a callee on, a service is called its likely victim."""

LATER_SECONDS = 10.0
"""A shorter lead of one onset over another is within what samples can tell apart."""


def explain(
    hypothesis: Hypothesis,
    ranked: list[Hypothesis],
    graph: Graph,
    evidence: list[Evidence],
    against: tuple[str, ...],
) -> Reasoning:
    """Everything said for and against `hypothesis`, one of `ranked` (best first).

    `against` are the keys of the evidence it leaves unexplained. Evidence is named by its key.
    """
    suspect, onset = hypothesis.suspect, hypothesis.onset
    said = _against(suspect, graph, evidence, against, onset)
    return {
        "changed": [
            _changed(item, suspect.service) for item in _telling(own_evidence(suspect, evidence))
        ],
        "since": None if onset is None else _since(onset, suspect.service, evidence),
        "change": _blamed(hypothesis, evidence),
        "changes": why_change(hypothesis.attribution, first=hypothesis is ranked[0]),
        "against": said,
        "unexplained": "" if said else _nothing_against(suspect, graph),
        "comparison": _comparison(hypothesis, ranked),
        "rule": _named(hypothesis),
        "checks": checks_for(hypothesis, ranked, graph, evidence, against),
    }


def _telling(own: list[Evidence]) -> list[Evidence]:
    """MAX_CHANGED of them, strongest first; each type of evidence is heard before one is again."""
    first = {item.type: item for item in reversed(own)}
    heard = [item for item in own if first[item.type] is item]
    rest = [item for item in own if first[item.type] is not item]
    chosen = {item.key for item in [*heard, *rest][:MAX_CHANGED]}
    return [item for item in own if item.key in chosen]


def _changed(item: Evidence, about: str) -> Changed:
    factor = None
    if item.type == "metric" and item.baseline and item.value is not None and item.baseline > 0.0:
        factor = float(f"{item.value / item.baseline:.3g}")
    return {
        "evidence": item.key,
        "type": item.type,
        "service": item.service,
        "peer": item.peer,
        "signal": item.signal,
        "text": " ".join(item.title.removeprefix(f"{about}: ").split()),
        "baseline": item.baseline,
        "value": item.value,
        "factor": factor,
        "usual_low": item.details.get("baseline_low"),
        "usual_high": item.details.get("baseline_high"),
        "unit": item.unit,
        "onset_at": None if item.onset_at is None else moment(item.onset_at),
        "query": item.query,
        "source": item.source,
    }


def _since(onset: float, service: str, evidence: list[Evidence]) -> Since:
    """The onset with the uncertainty of the metric that shows it, if one does."""
    known = [
        max(float(item.details["onset_uncertainty_seconds"]), 1.0)
        for item in evidence
        if item.type == "metric" and item.onset_at == onset and service in (item.service, item.peer)
    ]
    margin = min(known, default=None)
    words = "" if margin is None else f", give or take {seconds_in_words(margin)}"
    return {
        "at": moment(onset),
        "uncertainty_seconds": margin,
        "text": clock(onset) + words,
    }


def _blamed(hypothesis: Hypothesis, evidence: list[Evidence]) -> Blamed | None:
    """Kind, title and time; the id says nothing to a reader and stays out of the words."""
    one = hypothesis.attribution.blamed
    if one is None:
        return None
    lead = one.lead_seconds
    return {
        "id": one.change.id,
        "evidence": next(
            (
                item.key
                for item in evidence
                if item.type == "change" and item.details["change"] == one.change.id
            ),
            "",
        ),
        "kind": one.change.kind,
        "title": " ".join(one.change.title.split()),
        "at": moment(one.landing.at),
        "seconds_before": None if lead is None else round(lead, 3),
        "text": landed(one),
    }


def _against(
    suspect: Suspect,
    graph: Graph,
    evidence: list[Evidence],
    against: tuple[str, ...],
    onset: float | None,
) -> list[Against]:
    """What this cause does not explain, strongest first."""
    said: list[Against] = []
    if suspect.explained_by and suspect.explained >= VICTIM:
        text = f"part of it comes from {suspect.explained_by}, which {suspect.service} calls"
        said.append({"evidence": "", "text": text})
    keys = frozenset(against)
    left = [item for item in evidence if item.key in keys]
    for item in left[:MAX_AGAINST]:
        text = f"it does not explain {item.title}{_earlier(item, onset)}"
        said.append({"evidence": item.key, "text": " ".join(text.split())})
    if len(left) > MAX_AGAINST:
        more = len(left) - MAX_AGAINST
        said[-1]["text"] += f", nor {more} more signal{'s' if more > 1 else ''}"
    return said


def _earlier(item: Evidence, onset: float | None) -> str:
    """Effects do not come before their cause: evidence that clearly did is told with its lead."""
    if onset is None or item.onset_at is None:
        return ""
    lead = onset - item.onset_at
    margin = max(float(item.details.get("onset_uncertainty_seconds", 0.0)), LATER_SECONDS)
    return f", which began {seconds_in_words(round(lead))} earlier" if lead > margin else ""


def _nothing_against(suspect: Suspect, graph: Graph) -> str:
    if not graph.callers.get(suspect.service) and not graph.callees:
        return "not known without a dependency graph"
    return "no strong signal is left unexplained"


def _comparison(hypothesis: Hypothesis, ranked: list[Hypothesis]) -> Comparison:
    """Why the next one lost or, for the others, what they lost to."""
    first = ranked[0]
    if hypothesis is not first:
        return {
            "service": first.suspect.service,
            "outcome": "behind",
            "reason": _why_lost(hypothesis, first)[0],
            "score": round(hypothesis.score, 4),
            "their_score": round(first.score, 4),
            "text": f"{first.suspect.service}, whose own evidence weighs "
            f"{first.score:.2f} against {hypothesis.score:.2f}",
        }
    if len(ranked) < 2:
        return {
            "service": "",
            "outcome": "alone",
            "reason": "alone",
            "score": round(first.score, 4),
            "their_score": None,
            "text": "none, no other service has evidence of its own",
        }
    second = ranked[1]
    reason, why = _why_lost(second, first)
    return {
        "service": second.suspect.service,
        "outcome": "ahead",
        "reason": reason,
        "score": round(first.score, 4),
        "their_score": round(second.score, 4),
        "text": f"{second.suspect.service} {why} "
        f"(it weighs {second.score:.2f} against {first.score:.2f})",
    }


def _why_lost(loser: Hypothesis, winner: Hypothesis) -> tuple[Reason, str]:
    """(victim, later or weaker; the same in words)."""
    suspect = loser.suspect
    if suspect.explained >= VICTIM and suspect.explained_by:
        return "victim", f"is a likely victim of {suspect.explained_by}, which it calls"
    weaker = "has weaker evidence of its own"
    if loser.onset is not None and winner.onset is not None:
        lag = loser.onset - winner.onset
        if lag > LATER_SECONDS:
            return "later", f"{weaker} and moved {seconds_in_words(round(lag))} later"
    return "weaker", weaker


def _named(hypothesis: Hypothesis) -> Named:
    """Which rule named the kind and on what, and which moved the score."""
    verdict = hypothesis.verdict
    whose = "shipped" if verdict.shipped else "yours"
    return {
        "name": verdict.rule,
        "shipped": verdict.shipped,
        "because": verdict.because,
        "adjusted": list(hypothesis.adjusted),
        "text": f"{verdict.rule} ({whose}), because: {verdict.because}",
    }
