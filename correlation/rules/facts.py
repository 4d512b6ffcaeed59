"""What rules may ask about one service, gathered from the evidence of a ranking. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from correlation.blame import Suspect
from correlation.symptoms import Graph
from correlation.telemetry import Change, Evidence
from incidents.pattern_safety import clipped

View = Literal["own", "callers", "calls"]
"""Whose measure of a signal: the service's own, its callers' of it, its own of those it calls."""

CHANGE_GROUPS = {
    "config": frozenset({"config", "flag", "feature_flag", "configmap", "secret", "setting"}),
    "scale": frozenset({"scale"}),
}
"""Kinds of change by what they do; every other kind brings out code: `deploy`."""

MOST_TEXTS = 60
"""Log lines and spans of one service that patterns are tried on, the most telling first."""


@dataclass(frozen=True)
class SignalSeen:
    """One signal that moved. `strength` is its confidence 0..1, onset and margin in seconds."""

    signal: str
    view: View
    strength: float
    onset: float | None
    margin: float = 0.0
    direction: str = "up"
    baseline: float = 0.0
    value: float = 0.0


@dataclass(frozen=True)
class TextSeen:
    """A log template with its samples, or what a failing or slow span says."""

    texts: tuple[str, ...]
    strength: float
    onset: float | None = None
    level: str = ""
    more: bool = True
    template: str = ""


@dataclass(frozen=True)
class StateSeen:
    """What the orchestrator says of a workload."""

    reason: str
    strength: float
    onset: float | None = None


@dataclass(frozen=True)
class ChangeSeen:
    """A change near the onset; `strength` is how near, `text` its title, files and diff."""

    kind: str
    strength: float
    at: float | None = None
    text: str = ""

    def is_a(self, name: str) -> bool:
        return name in ("any", self.kind, group_of(self.kind))


@dataclass(frozen=True)
class Facts:
    """All of one service; strengths are 0..1, `features` those of `correlation.blame`."""

    role: str = "service"
    features: Mapping[str, float] = field(default_factory=dict)
    signals: Sequence[SignalSeen] = ()
    logs: Sequence[TextSeen] = ()
    workloads: Sequence[StateSeen] = ()
    changes: Sequence[ChangeSeen] = ()


def group_of(kind: str) -> str:
    """`deploy`, `config` or `scale` for a kind of change."""
    found = (group for group, kinds in CHANGE_GROUPS.items() if kind.lower() in kinds)
    return next(found, "deploy")


def facts_of(suspect: Suspect, graph: Graph, changes: Sequence[tuple[Change, float]]) -> Facts:
    """The facts about a suspect; `changes` are those near its onset with their closeness."""
    service = suspect.service
    logs = [_lines(item, worth) for item, worth in suspect.logs]
    logs += [_span(item, worth) for item, worth in suspect.traces]
    logs += [
        _lines(item, item.confidence)
        for item in graph.requests.evidence
        if item.type == "log" and item.service == service
    ]
    logs.sort(key=lambda seen: (-seen.strength, seen.texts))
    return Facts(
        role=graph.roles.get(service, "service"),
        features=suspect.features,
        signals=_signals(service, graph),
        logs=logs[:MOST_TEXTS],
        workloads=[
            StateSeen(item.signal, item.confidence, item.onset_at)
            for item in graph.workloads.get(service, [])
        ],
        changes=[
            ChangeSeen(
                change.kind.lower(),
                strength,
                change.at,
                "\n".join([change.title, *change.files, change.diff]),
            )
            for change, strength in changes
        ],
    )


def _signals(service: str, graph: Graph) -> list[SignalSeen]:
    seen = []
    for (owner, signal, peer), movement in graph.found.items():
        effect = movement.effect
        if effect is None or movement.confidence <= 0.0 or service not in (owner, peer):
            continue
        view: View = "own" if peer is None else "callers" if peer == service else "calls"
        seen.append(
            SignalSeen(
                signal,
                view,
                movement.confidence,
                effect.onset.at,
                effect.onset.uncertainty_seconds,
                "up" if effect.sign > 0 else "down",
                effect.reference.centre,
                effect.value,
            )
        )
    return sorted(seen, key=lambda one: (one.signal, one.view, -one.strength, one.onset or 0.0))


def _lines(item: Evidence, worth: float) -> TextSeen:
    details = item.details
    return TextSeen(
        tuple(clipped(text) for text in (details["template"], *details["samples"])),
        worth,
        item.onset_at,
        details["level"],
        details["change"] in ("new", "surging"),
        details["template_id"],
    )


def _span(item: Evidence, worth: float) -> TextSeen:
    details = item.details
    texts = tuple(clipped(text) for text in (details["operation"], *details["samples"]))
    return TextSeen(texts, worth, item.onset_at, "error" if item.signal == "trace_errors" else "")
