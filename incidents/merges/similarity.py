"""How alike two incidents are, as a weighted mean of stated parts. Pure.

A part that one of the two does not have (an incident opened by hand has no labels, a new one no
cause) leaves the mean: it counts neither as alike nor as different.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import TypeVar

HORIZON = timedelta(minutes=30)
"""Incidents that began this far apart have nothing in common in time."""
WEIGHTS: Mapping[str, float] = {"service": 2, "title": 2, "labels": 1, "cause": 3, "time": 1}
CAUSE_WEIGHTS: Mapping[str, float] = {"cause": 3, "time": 1}
SAME_SERVICE_ONLY = 0.5
WORD = re.compile(r"[^\W\d_]+|\d+")

Labels = frozenset[tuple[str, str]]
Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True)
class Cause:
    """What an analysis, or a person, says it was; `confidence` 0..1."""

    service: str
    kind: str
    confidence: float


@dataclass(frozen=True)
class Described:
    """What two incidents are compared by; `labels` holds one set for each of its alerts."""

    title: str
    services: frozenset[Hashable]
    started_at: datetime
    labels: tuple[Labels, ...] = ()
    cause: Cause | None = None
    root_cause: str = ""


@dataclass(frozen=True)
class Likeness:
    """`score` is the weighted mean of `parts`, each 0..1, rounded to four places."""

    score: float
    parts: dict[str, float] = field(default_factory=dict)


def compare(one: Described, other: Described) -> Likeness:
    """By service, title, labels, cause and time, weighed by WEIGHTS."""
    return _mean(
        WEIGHTS,
        {
            "service": _shared(one.services, other.services),
            "title": title_similarity(one.title, other.title),
            "labels": labels_similarity(one.labels, other.labels),
            "cause": cause_similarity(one, other),
            "time": time_similarity(one.started_at, other.started_at),
        },
    )


def compare_causes(one: Described, other: Described) -> Likeness:
    """By what their analyses say alone, weighed by CAUSE_WEIGHTS: an alert on a caller and one
    on its callee have neither service nor title in common."""
    return _mean(
        CAUSE_WEIGHTS,
        {
            "cause": cause_similarity(one, other) or 0.0,
            "time": time_similarity(one.started_at, other.started_at),
        },
    )


def title_similarity(one: str, other: str) -> float:
    """0..1: the longer common subsequence of words or the share of words in common."""
    a, b = WORD.findall(one.lower()), WORD.findall(other.lower())
    if not a or not b:
        return 0.0
    shared = len(set(a) & set(b)) / len(set(a) | set(b))
    return max(shared, SequenceMatcher(None, a, b, autojunk=False).ratio())


def labels_similarity(one: Collection[Labels], other: Collection[Labels]) -> float | None:
    """The Jaccard index of the two alerts most alike; None when either has no alert."""
    found = (_shared(mine, theirs) for mine in one for theirs in other)
    return max((share for share in found if share is not None), default=None)


def cause_similarity(one: Described, other: Described) -> float | None:
    """The geometric mean of both confidences where service and kind agree, half of it where
    only the service does, 0 where not. Without analyses: how alike what people wrote is.

    None when there is nothing to compare.
    """
    mine, theirs = one.cause, other.cause
    if mine is not None and theirs is not None:
        sure = math.sqrt(mine.confidence * theirs.confidence)
        if mine.service != theirs.service:
            return 0.0
        same = mine.kind and mine.kind == theirs.kind
        return sure if same else SAME_SERVICE_ONLY * sure
    if one.root_cause and other.root_cause:
        return title_similarity(one.root_cause, other.root_cause)
    return None


def time_similarity(one: datetime, other: datetime) -> float:
    """1 for the same start, 0 from HORIZON on."""
    return max(0.0, 1 - abs(one - other) / HORIZON)


def groups(
    nodes: Iterable[Node],
    scores: Mapping[tuple[Node, Node], float],
    *,
    threshold: float,
    apart: Collection[frozenset[Node]] = (),
) -> list[list[Node]]:
    """`nodes` in groups linked by scores of at least `threshold`, the surest links first.

    Alike is transitive: two that are each like a third are in its group. A pair of `apart` is
    never in one group, whatever links it. Groups and their members keep the order of `nodes`.
    """
    order = list(nodes)
    position = {node: n for n, node in enumerate(order)}
    group = {node: [node] for node in order}
    links = [(-score, position[a], position[b], a, b) for (a, b), score in scores.items()]
    for score, _a, _b, one, other in sorted(links, key=lambda link: link[:3]):
        mine, theirs = group[one], group[other]
        if -score < threshold or mine is theirs:
            continue
        if any(frozenset((a, b)) in apart for a in mine for b in theirs):
            continue
        mine.extend(theirs)
        for node in theirs:
            group[node] = mine
    whole = {id(members): members for members in group.values()}
    return [sorted(members, key=position.__getitem__) for members in whole.values()]


def _shared(one: Collection[Hashable], other: Collection[Hashable]) -> float | None:
    mine, theirs = set(one), set(other)
    if not mine or not theirs:
        return None
    return len(mine & theirs) / len(mine | theirs)


def _mean(weights: Mapping[str, float], parts: Mapping[str, float | None]) -> Likeness:
    known = {name: part for name, part in parts.items() if part is not None}
    total = sum(weights[name] for name in known)
    score = sum(weights[name] * part for name, part in known.items()) / total
    return Likeness(round(score, 4), {name: round(part, 4) for name, part in known.items()})
