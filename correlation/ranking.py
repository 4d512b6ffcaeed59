"""Telemetry in, ranked root causes out. Pure: same input, same bytes, whatever the order.

Metrics are measured against their baseline (effects, magnitude), log templates and sampled traces
against theirs (log_evidence, trace_evidence), victims separated from culprits along the call graph
(blame), kinds named by rules, confidence calibrated. Ties: higher score, then earlier onset, then
service name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from correlation import calibration
from correlation.blame import Suspect, suspects
from correlation.changes.attribution import NOTHING, Attribution, Jury
from correlation.changes.evidence import change_evidence
from correlation.changes.symptoms import signs
from correlation.evidence import Key, Movement, metric_evidence, movements, workload_evidence
from correlation.explaining.explanation import explain
from correlation.explaining.missing_evidence import missing_evidence, newest_sample
from correlation.explaining.next_checks import looks
from correlation.explaining.proofs import contradicting, supporting
from correlation.explaining.reasoning import in_lines
from correlation.explaining.sureness import shared_out, sureness
from correlation.logs.evidence import log_evidence
from correlation.rules.facts import facts_of
from correlation.rules.matching import Rule, Verdict, adjust, conclude
from correlation.rules.pack import shipped_rules
from correlation.steps.blame import request_findings
from correlation.symptoms import Graph
from correlation.telemetry import Cause, Change, Evidence, Ranking, Telemetry
from correlation.traces.evidence import trace_evidence
from correlation.traces.structure import structure_evidence
from correlation.traces.trees import trees

MAX_CAUSES = 5
FAINTEST = 0.10
"""Scores below this are no hypothesis at all."""

CORROBORATED_AFTER_SECONDS = 5.0
UNCORROBORATED = 0.55
"""Highest confidence while the metrics are calm and reach no further than this past the onset.

The first error lines of a fault are often a victim's: of the answers that new lines alone gave
2 s after the onset of simulated faults, 73 % were right. One sample later it is known who else
moved. Where there are no metrics to wait for, lines stand for themselves.
"""

OUT_OF_REACH = 0.6
"""Factor for a service that the affected one neither calls, directly or not, nor serves."""


@dataclass(frozen=True)
class Hypothesis:
    """A suspect with its score 0..1, verdict, onset and which change, if any, caused it.

    `adjusted` says which rules raised or capped the score.
    """

    suspect: Suspect
    score: float
    verdict: Verdict
    onset: float | None
    attribution: Attribution = NOTHING
    adjusted: tuple[str, ...] = ()

    @property
    def change(self) -> Change | None:
        """The change to blame: of a deploy that says so, the commit it brought out."""
        return self.attribution.blamed.change if self.attribution.blamed else None


@dataclass(frozen=True)
class Weighed:
    """Everything the ranking concluded before calibration."""

    evidence: list[Evidence]
    graph: Graph
    hypotheses: list[Hypothesis]
    features: dict[str, float]


def rank(
    telemetry: Telemetry,
    *,
    rules: Sequence[Rule] | None = None,
    artefact: calibration.Calibration | None = None,
) -> Ranking:
    """Ranked causes and the evidence for them; see `Ranking`.

    `rules` (which name kinds, and may raise or cap scores) and `artefact` (the calibration) are
    those that come with the product unless given. Cost grows with series x points and log lines;
    nothing is read or written outside.
    """
    weighed = weigh(telemetry, rules)
    evidence, graph, hypotheses = weighed.evidence, weighed.graph, weighed.hypotheses
    artefact = artefact or calibration.shipped()
    top = artefact.probability(weighed.features) if hypotheses else 0.0
    corroborated = not hypotheses or _corroborated(telemetry, hypotheses[0], evidence)
    if not corroborated:
        top = min(top, UNCORROBORATED)
    confidences = shared_out(top, [hypothesis.score for hypothesis in hypotheses])
    causes = []
    for hypothesis, confidence in zip(hypotheses, confidences, strict=True):
        against = contradicting(hypothesis.suspect, graph, evidence)
        reasoning = explain(hypothesis, hypotheses, graph, evidence, against)
        causes.append(
            Cause(
                service=hypothesis.suspect.service,
                kind=hypothesis.verdict.kind,
                title=hypothesis.verdict.title,
                confidence=confidence,
                supporting=supporting(hypothesis.suspect, graph, evidence, hypothesis.change),
                contradicting=against,
                change=hypothesis.change.id if hypothesis.change else None,
                explanation=in_lines(reasoning),
                reasoning=reasoning,
                rule=hypothesis.verdict.rule,
            )
        )
    inconclusive = not causes or causes[0].confidence < artefact.abstain_below
    return Ranking(
        causes=tuple(causes),
        evidence=tuple(evidence),
        inconclusive=inconclusive,
        missing=missing_evidence(telemetry, evidence, inconclusive, hypotheses),
        checks=looks(telemetry, weighed) if inconclusive else (),
        sureness=sureness(artefact, weighed.features, causes, corroborated),
    )


def weigh(telemetry: Telemetry, rules: Sequence[Rule] | None = None) -> Weighed:
    """Evidence, graph, scored hypotheses and calibration features of `telemetry`."""
    found = movements(telemetry)
    metrics = metric_evidence(found, telemetry.window, telemetry.as_of)
    workloads = workload_evidence(telemetry)
    onset = _first_onset([*metrics, *workloads], telemetry)
    names = {key[0] for key in found} | {key[2] for key in found if key[2]}
    names |= {name for edge in telemetry.edges for name in edge}
    names |= {line.service for line in telemetry.logs}
    requests = request_findings(telemetry)
    sampled = trees(telemetry.spans, telemetry.as_of)
    traces = trace_evidence(telemetry, sampled)
    if requests is None:
        logs, told = log_evidence(telemetry, onset, names), []
    else:
        rest = tuple(line for line in telemetry.logs if id(line) not in requests.lines_seen)
        logs = log_evidence(replace(telemetry, logs=rest), onset, names)
        told = requests.evidence
    graph = Graph(telemetry, found, logs, workloads, traces, requests)
    judged = suspects(graph)
    structure = structure_evidence(telemetry, sampled)
    everything = [*metrics, *logs, *traces, *structure, *told, *workloads]
    everything.sort(key=lambda item: (-item.confidence, item.key))
    jury = _jury(telemetry, found, graph, everything)
    in_force = shipped_rules() if rules is None else rules
    hypotheses = _hypotheses(telemetry, graph, judged, everything, in_force, jury)
    top = hypotheses[0].attribution if hypotheses else NOTHING
    everything += change_evidence(telemetry, onset, top)
    everything.sort(key=lambda item: (-item.confidence, item.key))
    coverage = _coverage(telemetry, graph, hypotheses)
    named = hypotheses[0].suspect.service if hypotheses else ""
    agreeing = calibration.kinds_agreeing(named, everything)
    features = calibration.describe([h.score for h in hypotheses], agreeing, coverage)
    return Weighed(everything, graph, hypotheses, features)


def _jury(
    telemetry: Telemetry, found: dict[Key, Movement], graph: Graph, evidence: list[Evidence]
) -> Jury | None:
    """Who judges the changes; None where there are none, and nothing has to be read."""
    known = [change for change in telemetry.changes if change.at <= telemetry.as_of]
    if not known:
        return None
    seen = signs(telemetry, found, evidence)
    return Jury(known, seen, graph.services, graph.callers, graph.callees)


def _first_onset(evidence: list[Evidence], telemetry: Telemetry) -> float:
    """Earliest onset of convincing metrics and workload states less its uncertainty.

    The window's start when nothing convinces, or when it began before.
    """
    strong = [
        (item.onset_at, float(item.details.get("onset_uncertainty_seconds", 0.0)))
        for item in evidence
        if item.confidence >= 0.5 and item.onset_at is not None
    ]
    if not strong:
        return telemetry.window[0]
    at, uncertainty = min(strong)
    return max(telemetry.window[0], at - min(uncertainty, 30.0))


def _hypotheses(
    telemetry: Telemetry,
    graph: Graph,
    judged: dict[str, Suspect],
    evidence: list[Evidence],
    rules: Sequence[Rule],
    jury: Jury | None,
) -> list[Hypothesis]:
    onsets = {name: _own_onset(name, graph, evidence) for name in judged}
    known = [onset for onset in onsets.values() if onset is not None]
    earliest = min(known, default=0.0)
    reach = _reach(telemetry.target, graph)
    ranked = []
    for name, suspect in judged.items():
        onset = onsets[name]
        score = _score(suspect, judged)
        if reach and name not in reach:
            score *= OUT_OF_REACH
        if onset is not None:  # culprits move first, but samples are coarse: a light hand
            score *= 1.0 - 0.1 * min(1.0, max(0.0, onset - earliest - 20.0) / 120.0)
        if score < FAINTEST:
            continue
        attribution = jury.attribution(name, onset) if jury is not None else NOTHING
        changes = attribution.of_service(name)
        likeliest = max((chance for _, chance in changes), default=0.0)
        score = 1.0 - (1.0 - score) * (1.0 - 0.25 * likeliest * score)
        facts = facts_of(suspect, graph, changes)
        verdict = conclude(facts, name, rules)
        if verdict is None:
            continue
        score, adjusted = adjust(score, verdict.kind, facts, name, rules)
        if score >= FAINTEST:
            ranked.append(Hypothesis(suspect, score, verdict, onset, attribution, adjusted))
    ranked.sort(
        key=lambda h: (-round(h.score, 9), h.onset if h.onset else math.inf, h.suspect.service)
    )
    return ranked[:MAX_CAUSES]


def _score(suspect: Suspect, judged: dict[str, Suspect]) -> float:
    """Own evidence, less when a failing callee has own evidence too or nobody suffers."""
    score = suspect.own * (0.6 + 0.4 * suspect.symptom)
    below = judged.get(suspect.explained_by or "")
    if below is not None:
        score *= 1.0 - 0.5 * suspect.explained * max(below.own, below.explained)
    return score


def _own_onset(service: str, graph: Graph, evidence: list[Evidence]) -> float | None:
    onsets = [
        item.onset_at
        for item in evidence
        if item.onset_at is not None
        and item.confidence >= 0.4
        and item.type != "change"
        and ((item.service == service and item.peer is None) or item.peer == service)
    ]
    return min(onsets, default=None)


def _reach(target: str | None, graph: Graph) -> set[str]:
    """The target, all it calls directly or not, and its callers; empty when unknown."""
    if target is None or target not in graph.services:
        return set()
    seen = {target}
    queue = [target]
    while queue:
        for name in graph.callees.get(queue.pop(), []):
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return seen | set(graph.callers.get(target, [])) | graph.akin


def _coverage(telemetry: Telemetry, graph: Graph, hypotheses: list[Hypothesis]) -> float:
    """Share of metrics, logs and graph that could be looked at, 0..1.

    Halved when the first suspect calls something nothing at all is known of: the fault may lie
    there, unseen.
    """
    edges = bool(telemetry.edges) or any(series.peer for series in telemetry.series)
    share = (bool(telemetry.series) + bool(telemetry.logs) + edges) / 3.0
    if hypotheses:
        service = hypotheses[0].suspect.service
        seen = {key[0] for key in graph.found}
        unseen = [
            callee
            for callee in graph.callees.get(service, [])
            if callee not in seen and not graph.measured(service, callee)
        ]
        share *= 0.5 if unseen else 1.0
    return share


def _corroborated(telemetry: Telemetry, first: Hypothesis, evidence: list[Evidence]) -> bool:
    """Whether metrics, if there are any, confirm the suspect or had the time to refute it."""
    newest = newest_sample(telemetry)
    if newest is None or first.onset is None:
        return True
    service = first.suspect.service
    return newest - first.onset >= CORROBORATED_AFTER_SECONDS or any(
        item.type == "metric" and item.confidence >= 0.5 and service in (item.service, item.peer)
        for item in evidence
    )
