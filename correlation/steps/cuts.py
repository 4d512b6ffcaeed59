"""Who cut requests short: the caller that stopped after a call, or the callee it had called. Pure.

A caller that breaks by itself stops after one call, whoever else makes that call; of a callee that
breaks, all callers stop. Where there is one caller only, it is where the course is seen to end; the
callee, if the call failed. A cut further down explains those above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from correlation.steps.courses import ENTERED, Courses
from correlation.steps.habits import FEWEST, Habit, Shift
from correlation.steps.spans import Operation
from correlation.steps.sureness import habit_worths
from correlation.steps.time_blame import SHARING
from correlation.telemetry import Floats

LEAST_AGREEING = 0.05
"""Left to either side when everything else speaks against it."""

SEEN_TO_END = 2.5
"""How much likelier it is the caller, all else the same, after a call that went well, and the
callee after one that failed, or did not arrive."""

FAINTEST = 0.02
"""Cuts worth less are none."""


@dataclass(frozen=True)
class Cut:
    """An operation that ends after a call (`last`) more often than before.

    `worth` (0..1) is how sure and large the change is, `requests` how many were cut short here,
    and by nothing further down. `reached` is what the call led to, None when it stayed in the
    service; `by_callee` (0..1) how much of the cut that answers for.
    """

    habit: Habit
    operation: Operation
    last: Operation
    reached: Operation | None
    worth: float
    requests: float
    by_callee: float


def cuts(ends: Shift, course: Courses, since: int, tests: int) -> list[Cut]:
    """All cuts among the ends compared; traces from number `since` on began since.

    `tests` is how many calls and steps are compared as well: an end that moved by chance is one.
    """
    surplus = ends.n1 - ends.of1 * ends.n0 / ends.of0
    worths = _worths(ends, course, tests + ends.which.size) * ((ends.z > 0.0) & (surplus > 0.0))
    chosen = np.flatnonzero(worths >= FAINTEST).tolist()
    if not chosen:
        return []
    worth_of = np.zeros(len(course.calls))
    worth_of[ends.which] = worths
    made = course.made_since(since) >= FEWEST
    ways: dict[tuple[Operation, bool], list[int]] = {}
    for call in np.flatnonzero(made & course.goes_on).tolist():
        there = course.reached[call]
        if there is not None:
            begun = course.calls[call][1] != ENTERED
            ways.setdefault((there, begun), []).append(call)
    found = []
    for at in chosen:
        call, worth = int(ends.which[at]), float(worths[at])
        operation, last = course.calls[call]
        there = course.reached[call]
        part = 0.0
        if there is not None:
            alike = ways.get((there, last != ENTERED), ())
            others = [float(worth_of[way]) for way in alike if way != call]
            part = _by_callee(course, call, worth, others)
        found.append(Cut(ends.habit(at), operation, last, there, worth, float(surplus[at]), part))
    return _without_explained(found)


def cut_blame(found: Iterable[Cut]) -> dict[str, float]:
    """service -> 0..1: by how sure the cuts are, and how many of all requests cut short are its."""
    own: dict[str, float] = {}
    most: dict[str, float] = {}
    total = 0.0
    for one in found:
        short = one.worth * one.requests
        total += short
        parts = [(one.operation[0], 1.0 - one.by_callee)]
        if one.reached is not None:
            parts.append((one.reached[0], one.by_callee))
        for service, part in parts:
            own[service] = own.get(service, 0.0) + short * part
            most[service] = max(most.get(service, 0.0), one.worth)
    if total <= 0.0:
        return {}
    return {
        service: most[service] * min(1.0, own[service] / total) ** SHARING
        for service in sorted(own)
    }


def _worths(ends: Shift, course: Courses, tests: int) -> Floats:
    """0..1 for each end: how far it cuts short, and does not only spare the handling of an error.

    Less where it was usual to end there, and nothing where no fewer calls are made.
    """
    worths = habit_worths(ends, tests) * (1.0 - ends.n0 / ends.of0)
    fewer = course.ended[ends.which] < course.usual[ends.which]
    found: Floats = worths * (1.0 - course.rescued[ends.which]) * fewer
    return found


def _by_callee(course: Courses, call: int, worth: float, others: Sequence[float]) -> float:
    """How much of a cut the callee answers for; `others` are worths of other calls to it."""
    callee = max((worth + sum(others)) / (1.0 + len(others)), LEAST_AGREEING)
    caller = max(1.0 - max(others, default=0.0), LEAST_AGREEING)
    failing = 1.0 if course.calls[call][1] == ENTERED else float(course.failing[call])
    caller *= SEEN_TO_END ** (1.0 - 2.0 * failing)
    return callee / (callee + caller)


def _without_explained(found: Sequence[Cut]) -> list[Cut]:
    deepest: dict[Operation | None, float] = {}
    for one in found:
        deepest[one.operation] = max(deepest.get(one.operation, 0.0), one.worth)
    return [
        replace(
            one,
            requests=one.requests
            * (1.0 - max(deepest.get(one.last, 0.0), deepest.get(one.reached, 0.0))),
        )
        for one in found
    ]
