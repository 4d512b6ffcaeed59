"""Why a cause is ranked where it is, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from correlation.blame import Suspect
from correlation.symptoms import Graph
from correlation.telemetry import Change, Evidence
from correlation.units import humanised, seconds_in_words

if TYPE_CHECKING:
    from correlation.ranking import Hypothesis

MAX_SUPPORTING = 16
MAX_CHANGED = 4
MAX_AGAINST = 2


def supporting(
    suspect: Suspect, graph: Graph, evidence: list[Evidence], change: Change | None
) -> tuple[str, ...]:
    """Keys of the suspect's own evidence, then its callers' view of it, then its victims."""
    service = suspect.service
    weak = _weak(suspect)
    victims = _upstream(service, graph)
    own, seen, suffered = [], [], []
    for item in evidence:
        if item.type == "change":
            if change is not None and item.details["change"] == change.id:
                own.append(item.key)
        elif item.peer == service:
            seen.append(item.key)
        elif item.service == service and item.peer is None and item.key not in weak:
            own.append(item.key)
        elif (
            item.type == "metric"
            and item.confidence >= 0.5
            and item.service in victims
            and (item.peer is None or item.peer in victims)
        ):
            suffered.append(item.key)
    return tuple([*own, *seen, *suffered][:MAX_SUPPORTING])


def contradicting(suspect: Suspect, graph: Graph, evidence: list[Evidence]) -> tuple[str, ...]:
    """Strong evidence this cause leaves unexplained: elsewhere, and not on a caller's path."""
    covered = _upstream(suspect.service, graph) | {suspect.service}
    return tuple(
        item.key
        for item in evidence
        if item.confidence >= 0.6
        and item.type != "change"
        and item.service not in covered
        and item.signal not in ("request_rate", "client_request_rate", "cpu", "memory")
    )[:MAX_SUPPORTING]


def explain(
    hypothesis: Hypothesis,
    ranked: list[Hypothesis],
    graph: Graph,
    evidence: list[Evidence],
    against: tuple[str, ...],
) -> str:
    """Lines of "Label: text" joined by newlines, plain text, always in this order.

    Changed (one a kind of signal, strongest first), Since, Change, Against (keys of `against`
    and a callee that shares the blame), Runner-up (or Ranked below), Check next.
    """
    suspect = hypothesis.suspect
    lines = [f"Changed: {_told(item, suspect.service)}" for item in _own(suspect, evidence)]
    if hypothesis.onset is not None:
        lines.append(f"Since: {_since(hypothesis.onset, suspect.service, evidence)}")
    if hypothesis.change is not None:
        lines.append(f"Change: {_change(hypothesis.change, hypothesis.onset)}")
    lines += [f"Against: {text}" for text in _against(suspect, graph, evidence, against)]
    lines.append(_comparison(hypothesis, ranked))
    if hypothesis.verdict.advice:
        lines.append(f"Check next: {hypothesis.verdict.advice}")
    return "\n".join(" ".join(line.split()) for line in lines)


def _own(suspect: Suspect, evidence: list[Evidence]) -> list[Evidence]:
    """The suspect's evidence as its callers or itself show it, one item a kind of signal."""
    weak = _weak(suspect)
    told: dict[str, Evidence] = {}
    for item in evidence:
        own = item.service == suspect.service and not item.peer
        if item.type != "change" and item.key not in weak and (own or item.peer == suspect.service):
            told.setdefault("latency" if "latency" in item.signal else item.signal, item)
    return list(told.values())[:MAX_CHANGED]


def _weak(suspect: Suspect) -> set[str]:
    """Keys of lines and traces that mostly say something about somebody else."""
    judged = [*suspect.logs, *suspect.traces]
    return {item.key for item, worth in judged if worth < 0.5 * item.confidence}


def _told(item: Evidence, about: str) -> str:
    """The title without the service it is all about, and for a metric its usual range."""
    text = item.title.removeprefix(f"{about}: ")
    if item.type != "metric":
        return text
    low, high = item.details["baseline_low"], item.details["baseline_high"]
    return f"{text} (usually {humanised(low, item.unit)} to {humanised(high, item.unit)})"


def _since(onset: float, service: str, evidence: list[Evidence]) -> str:
    """The onset with the uncertainty of the metric that shows it, if one does."""
    known = [
        float(item.details["onset_uncertainty_seconds"])
        for item in evidence
        if item.type == "metric" and item.onset_at == onset and service in (item.service, item.peer)
    ]
    margin = f", give or take {seconds_in_words(max(min(known), 1.0))}" if known else ""
    return _clock(onset) + margin


def _change(change: Change, onset: float | None) -> str:
    """Kind, title and time; the id says nothing to a reader and stays out."""
    title = " ".join(change.title.split())
    named = f'{change.kind} "{title}"' if title else f"{change.kind} of {change.service}"
    lead = 0.0 if onset is None else onset - change.at
    before = f", {seconds_in_words(lead)} before the trouble" if lead >= 1.0 else ""
    return f"{named} at {_clock(change.at)}{before}"


def _against(
    suspect: Suspect, graph: Graph, evidence: list[Evidence], against: tuple[str, ...]
) -> list[str]:
    """What this cause does not explain, strongest first; one line saying so when there is none."""
    said = []
    if suspect.explained_by and suspect.explained >= 0.3:
        said.append(f"part of it comes from {suspect.explained_by}, which {suspect.service} calls")
    keys = frozenset(against)
    left = [item for item in evidence if item.key in keys]
    said += [f"it does not explain {item.title}" for item in left[:MAX_AGAINST]]
    if len(left) > MAX_AGAINST:
        said[-1] += f", nor {len(left) - MAX_AGAINST} more signals"
    if not said and not graph.callers.get(suspect.service) and not graph.callees:
        return ["not known without a dependency graph"]
    return said or ["no strong signal is left unexplained"]


def _comparison(hypothesis: Hypothesis, ranked: list[Hypothesis]) -> str:
    """Why the next one lost or, for the others, what they lost to."""
    first = ranked[0]
    if hypothesis is not first:
        return (
            f"Ranked below: {first.suspect.service}, whose own evidence weighs "
            f"{first.score:.2f} against {hypothesis.score:.2f}"
        )
    if len(ranked) < 2:
        return "Runner-up: none, no other service has evidence of its own"
    second = ranked[1]
    lost = f"{second.suspect.service} has weaker evidence of its own"
    if second.suspect.explained >= 0.3 and second.suspect.explained_by:
        lost = (
            f"{second.suspect.service} is a likely victim of {second.suspect.explained_by}, "
            "which it calls"
        )
    return f"Runner-up: {lost} ({second.score:.2f} against {hypothesis.score:.2f})"


def _upstream(service: str, graph: Graph) -> set[str]:
    seen: set[str] = set()
    queue = [service]
    while queue:
        for name in graph.callers.get(queue.pop(), []):
            if name not in seen and name != service:
                seen.add(name)
                queue.append(name)
    return seen


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")
