"""How far each service is to blame for what requests do differently, by operation.

Only for traces chosen without looking at them (`Telemetry.traces_unbiased`): then what one
operation does can be compared with what it did, and a service that is merely called less, or by
other requests, shows nothing. Alerts come at any time after what they tell of, so every moment
near the start is tried. What a service did at any of them counts by how likely the moment is: not
everything shows at once, and an average would thin out what shows only at the right one.

Time is shared out: a service answers for the share of all lost time that was lost in it or on
the way to and from it. Of an edge, the callee has the larger part where all its callers see it
slow, the caller where all it calls is. A habit that changed counts by how sure and how large the
change is; a change further down explains those above it, for callers see other answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from correlation.magnitude import hill
from correlation.steps.flow import ENDED, ENTERED, Flow, flow
from correlation.steps.habits import Done, Habit, Habits
from correlation.steps.onsets import Moment, likely_onsets
from correlation.steps.report import (
    REPORTED,
    call_evidence,
    step_evidence,
    strongest,
    time_evidence,
)
from correlation.steps.spans import Requests, arranged
from correlation.steps.times import Slower, Times
from correlation.telemetry import Evidence, Telemetry

LEVEL_WEIGHTS = {"fatal": 1.0, "error": 1.0, "warn": 0.95, "": 0.85, "info": 0.85, "debug": 0.6}
BROKEN_LEVELS = frozenset({"error", "fatal"})

CUT_SHORT = 1.0
"""An operation that ends where it used to go on: as good as an error line."""

RECOVERED = 0.25
"""One that ends where it used to log an error, or goes on where it used to end: it got better."""

NEW_CALL, LOST_CALL = 0.45, 0.9
"""A call that is no longer made says that work stopped, as far as no other is made instead: a new
one may only follow another's, or show that a service goes on where it used to fail.
"""

EXPLAINED = 0.7
"""How much of a change a certain change further down explains."""


@dataclass(eq=False)
class RequestFindings:
    """Evidence, and 0..1 by service: `time` lost, `lines` and `calls` that changed.

    `onset` is the moment (epoch s) that parts before and since best; `lines_seen` are the lines
    that could be put down to an operation: the rest is left to be counted by time.
    """

    onset: float
    evidence: list[Evidence] = field(default_factory=list)
    time: dict[str, float] = field(default_factory=dict)
    lines: dict[str, float] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    lines_seen: frozenset[int] = frozenset()
    compared: frozenset[str] = frozenset()
    """The services whose times could be compared: their metrics' latencies say no more."""

    def by_kind(self) -> tuple[dict[str, float], ...]:
        return self.time, self.lines, self.calls


@dataclass(frozen=True, eq=False)
class _Changes:
    """All that is different at one moment."""

    moment: Moment
    times: list[Slower]
    made: list[Habit]
    said: list[Habit]

    @property
    def habits(self) -> int:
        """How many habits were put to the test."""
        return max(len(self.made) + len(self.said), 10)

    @property
    def height(self) -> float:
        """How well it parts before from since: the strongest changes, none counting for all."""
        pulls = [min(max(one.z, 0.0), 12.0) for one in self.times if one.now > 1.3 * one.before]
        pulls += [min(abs(one.z), 12.0) for one in (*self.made, *self.said)]
        return sum(sorted(pulls, reverse=True)[:8])


def request_findings(telemetry: Telemetry) -> RequestFindings | None:
    """None without unbiased traces."""
    if not telemetry.traces_unbiased or not telemetry.spans:
        return None
    requests = arranged(span for span in telemetry.spans if span.start <= telemetry.as_of)
    course = flow(telemetry, requests)
    times = Times(requests, telemetry)
    made = Habits(requests.starts, requests.ran, _calls(requests))
    said = Habits(requests.starts, course.ran, course.done)
    tried: list[tuple[float, _Changes, RequestFindings]] = []
    for moment in likely_onsets(telemetry, requests.starts):
        at = moment.onset
        changes = _Changes(moment, times.slower(at), made.compared(at), said.compared(at))
        tried.append((moment.weight, changes, _weighed(changes, course)))
    best = max(tried, key=lambda one: (one[0] * one[1].height, -one[1].moment.onset))
    found = RequestFindings(best[1].moment.onset, compared=best[2].compared)
    found.lines_seen = course.lines_seen
    found.evidence = _told(best[1], course, telemetry)
    for kind, worths in enumerate(found.by_kind()):
        for weight, _, one in tried:
            for name, worth in one.by_kind()[kind].items():
                worths[name] = max(worths.get(name, 0.0), weight * worth)
    _explain_callers(found.lines, found.calls, requests.callees())
    return found


def _calls(requests: Requests) -> Done:
    return {
        (operation[0], (operation[1], *called)): {operation: traces}
        for (operation, called), traces in sorted(requests.calls.items())
    }


def _weighed(changes: _Changes, course: Flow) -> RequestFindings:
    """Who is to blame if it began at that moment."""
    found = RequestFindings(
        changes.moment.onset, compared=frozenset(one.service for one in changes.times)
    )
    found.time = _time_blame(changes)
    for item, worth in _call_changes(changes):
        found.calls[item.service] = max(found.calls.get(item.service, 0.0), worth)
    for item, worth in _steps(changes, course):
        found.lines[item.service] = max(found.lines.get(item.service, 0.0), worth)
    return found


def _steps(changes: _Changes, course: Flow) -> list[tuple[Habit, float]]:
    """Each changed step with its worth, by what the course turned from and to."""
    branches: dict[tuple[str, str], list[Habit]] = {}
    for item in changes.said:
        branches.setdefault((item.service, _step(item)[0]), []).append(item)
    found = []
    for (service, _), items in branches.items():
        to = max(items, key=lambda item: item.z)
        away = min(items, key=lambda item: item.z)
        better = _broken(course, service, to) < _broken(course, service, away)
        for item in items:
            weight = RECOVERED if better else _weight(course, service, to)
            found.append((item, weight * _habit_worth(item, changes.habits)))
    return found


def _step(item: Habit) -> tuple[str, str]:
    assert isinstance(item.what, tuple)
    return str(item.what[0]), str(item.what[1])


def _broken(course: Flow, service: str, item: Habit) -> int:
    """How ill a step bodes: 2 for one to an error line, 1 to the end of the operation."""
    _, after = _step(item)
    if after == ENDED:
        return 1
    return 2 if course.statements[service, after].level in BROKEN_LEVELS else 0


def _weight(course: Flow, service: str, item: Habit) -> float:
    _, after = _step(item)
    if after == ENDED:
        return CUT_SHORT
    return LEVEL_WEIGHTS.get(course.statements[service, after].level, 0.6)


def _sure(z: float, tests: int) -> float:
    centre = math.sqrt(2.0 * math.log(tests))
    return 1.0 / (1.0 + math.exp(-max(min((abs(z) - centre) / 0.6, 40.0), -40.0)))


def _habit_worth(item: Habit, tests: int) -> float:
    return _sure(item.z, tests) * hill(abs(item.ratio), 1.6, 2.0)


def _call_changes(changes: _Changes) -> list[tuple[Habit, float]]:
    """Each changed call with its worth."""
    worths = [_habit_worth(item, changes.habits) for item in changes.made]
    gained: dict[str, float] = {}
    lost: dict[str, float] = {}
    for item, worth in zip(changes.made, worths, strict=True):
        side = gained if item.z > 0 else lost
        side[item.service] = side.get(item.service, 0.0) + worth
    found = []
    for item, worth in zip(changes.made, worths, strict=True):
        weight = NEW_CALL
        if item.z < 0:
            less, more = lost[item.service], gained.get(item.service, 0.0)
            weight = LOST_CALL * less / max(less + more, 1e-9)
        found.append((item, weight * worth))
    return found


def _longer(one: Slower) -> float:
    return hill(max(math.log((one.now + 5e-4) / (one.before + 5e-4)), 0.0), 0.5, 2.0)


def _lost(changes: _Changes) -> list[tuple[Slower, float, float]]:
    """Each time with how surely it grew, 0..1, and the seconds surely lost."""
    return [
        (one, sure, sure * one.lost_seconds)
        for one in changes.times
        for sure in (_sure(one.z, max(len(changes.times), 10)) if one.z > 0 else 0.0,)
    ]


def _time_blame(changes: _Changes) -> dict[str, float]:
    lost = _lost(changes)
    total = sum(seconds for _, _, seconds in lost)
    if total <= 0.0:
        return {}
    edges: dict[tuple[str, str], tuple[float, float]] = {}
    own: dict[str, float] = {}
    most: dict[str, float] = {}
    for one, sure, seconds in lost:
        worth = sure * _longer(one)
        if one.peer:
            known = edges.get((one.service, one.peer), (0.0, 0.0))
            edges[one.service, one.peer] = (known[0] + seconds, max(known[1], worth))
        else:
            own[one.service] = own.get(one.service, 0.0) + seconds
            most[one.service] = max(most.get(one.service, 0.0), worth)
    out, into = _agreement(edges, 0), _agreement(edges, 1)
    for (caller, callee), (seconds, worth) in sorted(edges.items()):
        both = out[caller] + into[callee]
        for end, agreeing in ((caller, out[caller]), (callee, into[callee])):
            share = agreeing / both if both > 0.0 else 0.0
            own[end] = own.get(end, 0.0) + seconds * share
            most[end] = max(most.get(end, 0.0), worth)
    return {
        service: most.get(service, 0.0) * min(1.0, own[service] / total) ** 0.7
        for service in sorted(own)
    }


def _agreement(edges: Mapping[tuple[str, str], tuple[float, float]], end: int) -> dict[str, float]:
    """How far all edges with a service at that end (0: calling, 1: called) are slow, 0..1."""
    slow: dict[str, list[float]] = {}
    for edge, (_, worth) in edges.items():
        slow.setdefault(edge[end], []).append(worth)
    return {service: sum(worths) / len(worths) for service, worths in slow.items()}


def _explain_callers(
    lines: dict[str, float], calls: dict[str, float], callees: Mapping[str, set[str]]
) -> None:
    """Discount what a service further down explains, the deepest of which keep their own."""
    strength = {name: max(lines.get(name, 0.0), calls.get(name, 0.0)) for name in {*lines, *calls}}
    for name in sorted(strength):
        seen, queue, below = {name}, [name], 0.0
        while queue:
            for other in sorted(callees.get(queue.pop(), ())):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
                    below = max(below, strength.get(other, 0.0))
        for worths in (lines, calls):
            if name in worths:
                worths[name] *= 1.0 - EXPLAINED * below


def _told(changes: _Changes, course: Flow, telemetry: Telemetry) -> list[Evidence]:
    """What to say of the moment that was chosen."""
    onset, evidence = changes.moment.onset, []
    lost = _lost(changes)
    total = sum(seconds for _, _, seconds in lost) or 1.0
    for one, sure, seconds in lost:
        confidence = sure * _longer(one) * (0.4 + 0.6 * min(1.0, 2.0 * seconds / total))
        if confidence >= REPORTED:
            evidence.append(time_evidence(one, confidence, seconds / total, telemetry, onset))
    for item, worth in _call_changes(changes):
        if worth >= REPORTED:
            evidence.append(call_evidence(item, worth, telemetry, onset))
    for item, worth in _steps(changes, course):
        name, after = _step(item)
        if worth >= REPORTED and after != ENDED:
            before = None if name == ENTERED else course.statements[item.service, name]
            statement = course.statements[item.service, after]
            evidence.append(step_evidence(item, statement, before, worth, telemetry, onset))
    return strongest(evidence)
