"""What to do and to look at next, for a cause and for an answer that names none. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from correlation.explaining.proofs import own_evidence
from correlation.explaining.reasoning import Check, Purpose
from correlation.signal_labels import label_of
from correlation.symptoms import Graph
from correlation.telemetry import Evidence, Telemetry
from correlation.units import clock, humanised

if TYPE_CHECKING:
    from correlation.ranking import Hypothesis, Weighed

MOST = 6
RIVAL = 0.5
"""A runner-up with this share of the first's score is worth ruling out."""


def checks_for(
    hypothesis: Hypothesis,
    ranked: list[Hypothesis],
    graph: Graph,
    evidence: list[Evidence],
    against: tuple[str, ...],
) -> list[Check]:
    """The rule's advice first, then the change, then what would confirm or refute the cause."""
    suspect = hypothesis.suspect
    own = own_evidence(suspect, evidence)
    said: list[Check] = []
    if hypothesis.verdict.advice:
        said.append(_check("act", hypothesis.verdict.advice, own[0] if own else None))
    if hypothesis.change is not None:
        blamed = _change_evidence(hypothesis.change.id, evidence)
        named = f'{hypothesis.change.kind} "{" ".join(hypothesis.change.title.split())}"'
        if blamed is not None and hypothesis.change.title:
            said.append(_check("change", f"Read what the {named} changed.", blamed))
    said += _recovery(own)
    for item in [item for item in evidence if item.key in against][:1]:
        said.append(_check("refute", f"Explain, or look there instead: {_told(item)}.", item))
    if hypothesis is ranked[0] and len(ranked) > 1:
        said += _rival(ranked[0], ranked[1], evidence)
    said += _unseen(suspect.service, graph)
    return said[:MOST]


def looks(telemetry: Telemetry, weighed: Weighed) -> tuple[Check, ...]:
    """What to look at while no cause stands out: the best suspects, then what moved, then gaps."""
    ranked, evidence, graph = weighed.hypotheses, weighed.evidence, weighed.graph
    said: list[Check] = []
    for hypothesis in ranked[:2]:
        for item in own_evidence(hypothesis.suspect, evidence)[:1]:
            said.append(_check("compare", f"Look at {_told(item)}.", item))
    shown = {check["evidence"] for check in said}
    moved = [item for item in evidence if item.key not in shown and item.type != "change"]
    said += [_check("confirm", f"Look at {_told(item)}.", item) for item in moved[: 3 - len(said)]]
    for item in [item for item in evidence if item.type == "change"][:1]:
        said.append(_check("change", f"Read what changed shortly before: {_told(item)}.", item))
    target = telemetry.target
    if target and target not in {key[0] for key in graph.found}:
        said.append(
            _check("blind_spot", f"Nothing is measured at {target}: check its telemetry's names.")
        )
    elif target:
        said += _unseen(target, graph)
    if not evidence and target:
        said.append(
            _check("act", f"Ask what the alert saw at {target} that these signals do not show.")
        )
    if not any(item.confidence >= 0.5 for item in evidence):
        text = (
            f"If it began before {clock(telemetry.window[0])}, correct the incident's start and "
            "analyse again: what lies before counts as healthy."
        )
        said.append(_check("blind_spot", text))
    return tuple(said[:MOST])


def _recovery(own: list[Evidence]) -> list[Check]:
    """By what the repair is known to have worked: the strongest metric back in its range."""
    metrics = [item for item in own if item.type == "metric" and item.value is not None]
    if not metrics:
        return [
            _check("confirm", f"Repaired when this ends: {_told(item)}.", item) for item in own[:1]
        ]
    item = metrics[0]
    up = item.direction == "up"
    border = humanised(item.details["baseline_high" if up else "baseline_low"], item.unit)
    where = f"{item.service} to {item.peer}" if item.peer else item.service
    text = (
        f"Repaired when back in its range: {label_of(item.signal)} of {where}, "
        f"{'at most' if up else 'at least'} {border}, now {humanised(item.value, item.unit)}."
    )
    return [_check("confirm", text, item)]


def _rival(first: Hypothesis, second: Hypothesis, evidence: list[Evidence]) -> list[Check]:
    if second.score < RIVAL * first.score:
        return []
    name = second.suspect.service
    shown = own_evidence(second.suspect, evidence)
    if not shown:
        return []
    return [_check("compare", f"Rule out {name}: {_told(shown[0])}.", shown[0])]


def _unseen(service: str, graph: Graph) -> list[Check]:
    """A callee nothing at all is known of may hold the fault."""
    known = {key[0] for key in graph.found} | set(graph.logs) | set(graph.workloads)
    unseen = [
        callee
        for callee in graph.callees.get(service, [])
        if callee not in known and not graph.measured(service, callee)
    ]
    if not unseen:
        return []
    named = ", ".join(unseen[:3]) + (f" and {len(unseen) - 3} more" if len(unseen) > 3 else "")
    text = f"Nothing is known of {named}, which {service} calls: look there."
    return [_check("blind_spot", text)]


def _change_evidence(change: str, evidence: list[Evidence]) -> Evidence | None:
    return next(
        (item for item in evidence if item.type == "change" and item.details["change"] == change),
        None,
    )


def _check(purpose: Purpose, text: str, item: Evidence | None = None) -> Check:
    return {
        "purpose": purpose,
        "text": " ".join(text.split()),
        "evidence": item.key if item else "",
    }


def _told(item: Evidence) -> str:
    return item.title.rstrip(".")
