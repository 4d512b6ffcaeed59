"""Why a cause is ranked where it is, in plain words, and what would have decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from correlation.blame import Graph, Suspect
from correlation.evidence import in_words
from correlation.telemetry import Change, Evidence, Telemetry

if TYPE_CHECKING:
    from correlation.ranking import Hypothesis

MAX_SUPPORTING = 16
MAX_SENTENCES = 5
YOUNG_SECONDS = 30.0


def supporting(
    suspect: Suspect, graph: Graph, evidence: list[Evidence], change: Change | None
) -> tuple[str, ...]:
    """Keys of the suspect's own evidence, then its callers' view of it, then its victims."""
    service = suspect.service
    weak = {item.key for item, worth in suspect.logs if worth < 0.5 * item.confidence}
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
    hypothesis: Hypothesis, ranked: list[Hypothesis], graph: Graph, evidence: list[Evidence]
) -> str:
    """What changed, from what to what, since when, and why the next (or first) ranks elsewhere."""
    suspect = hypothesis.suspect
    weak = {item.key for item, worth in suspect.logs if worth < 0.5 * item.confidence}
    own = [
        item
        for item in evidence
        if item.type != "change"
        and item.key not in weak
        and (item.peer == suspect.service or (item.service == suspect.service and not item.peer))
    ]
    told: dict[str, Evidence] = {}
    for item in own:  # one sentence a kind of signal, the strongest
        told.setdefault("latency" if "latency" in item.signal else item.signal, item)
    sentences = [_sentence(item) for item in list(told.values())[:MAX_SENTENCES]]
    if hypothesis.onset is not None:
        sentences.append(f"It began about {_clock(hypothesis.onset)}.")
    if hypothesis.change is not None:
        change = hypothesis.change
        sentences.append(
            f"{change.kind} {change.id} ({change.title}) of {change.service} was made at "
            f"{_clock(change.at)}."
        )
    if suspect.explained_by and suspect.explained >= 0.3:
        sentences.append(
            f"Part of it is explained by {suspect.explained_by}, which {suspect.service} calls."
        )
    sentences.append(_against(hypothesis, ranked))
    if hypothesis.verdict.advice:
        sentences.append(f"Next: {hypothesis.verdict.advice}")
    return " ".join(sentence for sentence in sentences if sentence)


def missing_evidence(
    telemetry: Telemetry, evidence: list[Evidence], inconclusive: bool
) -> tuple[str, ...]:
    """What could not be had; with an inconclusive answer also what is too thin, in plain words."""
    said = list(telemetry.missing)
    if not inconclusive:
        return tuple(dict.fromkeys(said))
    text = " ".join(said).lower()
    newest = max((float(s.times[-1]) for s in telemetry.series if s.times.size), default=None)
    if not telemetry.series and "metric" not in text and "prometheus" not in text:
        said.append("no metrics were gathered")
    elif newest is not None:
        since = min(newest, telemetry.as_of) - telemetry.started_at
        if since < YOUNG_SECONDS:
            said.append(f"telemetry after the incident start is only {max(since, 0.0):.0f} s old")
    if not telemetry.logs and "log" not in text and "loki" not in text:
        said.append("no logs were gathered")
    if telemetry.target and telemetry.series:
        traffic = [
            s
            for s in telemetry.series
            if s.signal in ("request_rate", "client_request_rate")
            and telemetry.target in (s.service, s.peer)
            and s.times.size
            and float(s.times[-1]) >= telemetry.window[0]
            and float(s.values[-1]) > 0.0
        ]
        if not traffic:
            said.append(f"no request traffic seen for {telemetry.target}")
    if not telemetry.edges and not any(s.peer for s in telemetry.series):
        said.append("no dependency graph: callers and callees are not known")
    if not any(item.confidence >= 0.5 for item in evidence):
        said.append("no signal left its usual range")
    return tuple(dict.fromkeys(said))


def _sentence(item: Evidence) -> str:
    if item.type == "metric":
        return (
            f"{item.title} (usual range {in_words(item.details['baseline_low'], item.unit)} to "
            f"{in_words(item.details['baseline_high'], item.unit)})."
        )
    if item.type == "log":
        return (
            f"{item.title} ({item.details['count']} lines since the onset, "
            f"{item.details['count_baseline']} before)."
        )
    return f"{item.title}."


def _against(hypothesis: Hypothesis, ranked: list[Hypothesis]) -> str:
    if len(ranked) < 2:
        return "No other service has evidence of its own."
    first = ranked[0]
    if hypothesis is not first:
        return (
            f"Ranked below {first.suspect.service}, whose own evidence scores "
            f"{first.score:.2f} against {hypothesis.score:.2f}."
        )
    second = ranked[1]
    if second.suspect.explained >= 0.3 and second.suspect.explained_by:
        return (
            f"The runner-up {second.suspect.service} is a likely victim: what it calls, "
            f"{second.suspect.explained_by}, accounts for its trouble."
        )
    return (
        f"The runner-up {second.suspect.service} has weaker evidence of its own "
        f"({second.score:.2f} against {hypothesis.score:.2f})."
    )


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
