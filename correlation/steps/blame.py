"""How far each service is to blame for what requests do differently, by operation.

Only for traces chosen without looking at them (`Telemetry.traces_unbiased`): then what one
operation does can be compared with what it did, and a service that is merely called less, or by
other requests, shows nothing. Alerts come at any time after what they tell of, so every moment
near the start is tried. What a service did at any of them counts by how likely the moment is: not
everything shows at once, and an average would thin out what shows only at the right one.

Time lost is shared out (`steps.time_blame`), changed calls and steps are weighed
(`steps.habit_blame`), courses cut short put down to caller or callee (`steps.cuts`); a change
further down explains those above it, for callers see other answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from correlation.magnitude import hill
from correlation.steps.courses import courses
from correlation.steps.cuts import Cut, cut_blame, cuts
from correlation.steps.flow import ENDED, ENTERED, Flow, flow
from correlation.steps.habit_blame import Services, Turns, call_worths, step
from correlation.steps.habits import Key, Practice, Shift, shifts
from correlation.steps.onsets import Moment, likely_onsets
from correlation.steps.report import (
    REPORTED,
    call_evidence,
    cut_evidence,
    step_evidence,
    strongest,
    time_evidence,
)
from correlation.steps.spans import Operation, Requests, arranged
from correlation.steps.time_blame import FEWEST_TESTS, losses, time_blame
from correlation.steps.times import Pace, Times
from correlation.steps.unlike import unlike
from correlation.telemetry import Evidence, Floats, Telemetry

HARDLY_LOST = 0.02
"""Share of the time lost at the worst moment tried; a moment with less of it tells of little."""

EXPLAINED = 0.7
"""How much of a change a certain change further down explains."""


@dataclass(eq=False)
class RequestFindings:
    """Evidence, and 0..1 by service: `time` lost, `lines` and `calls` that changed, `cuts`.

    `onset` is the moment (epoch s) that parts before and since best; `lines_seen` are the lines
    that could be put down to an operation: the rest is left to be counted by time.
    """

    onset: float
    evidence: list[Evidence] = field(default_factory=list)
    time: dict[str, float] = field(default_factory=dict)
    lines: dict[str, float] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    cuts: dict[str, float] = field(default_factory=dict)
    lines_seen: frozenset[int] = frozenset()
    compared: frozenset[str] = frozenset()
    """The services whose times could be compared: their metrics' latencies say no more."""

    def by_kind(self) -> tuple[dict[str, float], ...]:
        return self.time, self.lines, self.calls, self.cuts


@dataclass(frozen=True, eq=False)
class _Changes:
    """All that is different at one moment, and what each changed call and step is worth."""

    moment: Moment
    pace: Pace
    made: Shift
    said: Shift
    made_worths: Floats
    said_worths: Floats
    short: list[Cut]

    @property
    def height(self) -> float:
        """How well it parts before from since: the strongest changes, none counting for all."""
        grown = self.pace.z[self.pace.now > 1.3 * self.pace.before]
        cut = [one.habit.z for one in self.short if one.worth >= REPORTED]
        pulls = np.concatenate((grown, np.abs(self.made.z), np.abs(self.said.z), cut))
        strongest_first = np.sort(np.clip(pulls, 0.0, 12.0))[::-1]
        return float(sum(strongest_first[:8].tolist()))


def request_findings(telemetry: Telemetry) -> RequestFindings | None:
    """None without unbiased traces."""
    if not telemetry.traces_unbiased or not telemetry.spans:
        return None
    requests = arranged(span for span in telemetry.spans if span.start <= telemetry.as_of)
    course = flow(telemetry, requests)
    calls = _calls(requests)
    callers, speakers = Services.of_keys(calls.keys), Services.of_keys(course.steps.keys)
    tried = _tried(telemetry, requests, course, calls, callers)
    best = max(tried, key=lambda one: (one.moment.weight * one.height, -one.moment.onset))
    found = RequestFindings(
        best.moment.onset,
        evidence=_told(best, course, telemetry),
        lines_seen=course.lines_seen,
        compared=frozenset(best.pace.ways.names[at] for at in np.unique(best.pace.services)),
    )
    most = max(losses(one.pace).total for one in tried)
    for one in tried:
        noticed = hill(losses(one.pace).total / most, HARDLY_LOST, 2.0) if most > 0.0 else 0.0
        _take(found.time, time_blame(one.pace), one.moment.weight * noticed)
        _take(found.calls, callers.most(one.made, one.made_worths), one.moment.weight)
        _take(found.cuts, cut_blame(one.short), one.moment.weight)
        _take(found.lines, speakers.most(one.said, one.said_worths), one.moment.weight)
    odd = unlike(requests, telemetry.started_at)
    if odd is not None:
        _take(found.time, odd.blame(), 1.0)
        told = odd.evidence(telemetry, telemetry.started_at, REPORTED)
        found.evidence = strongest([*found.evidence, *told])
    _explain_callers(found.lines, found.calls, requests.callees())
    return found


def _calls(requests: Requests) -> Practice:
    """Each call an operation makes, of all requests that ran the operation."""
    number_of = {operation: at for at, operation in enumerate(requests.operations)}
    rows = np.arange(len(requests.pairs), dtype=np.int64)
    strata = np.array([number_of[operation] for operation, _ in requests.pairs], dtype=np.int64)
    keys: list[Key] = [(by[0], (by[1], *called)) for by, called in requests.pairs]
    return Practice(keys, rows, strata, requests.ran, requests.called)


def _tried(
    telemetry: Telemetry, requests: Requests, course: Flow, calls: Practice, callers: Services
) -> list[_Changes]:
    """What is different at each moment it may have begun."""
    moments = likely_onsets(telemetry, requests.starts)
    onsets = [moment.onset for moment in moments]
    times, turns = Times(requests, telemetry), Turns.of(course)
    called = courses(requests)
    tried = []
    for moment, made, said, ends in zip(
        moments,
        shifts(calls, requests.starts, onsets),
        shifts(course.steps, requests.starts, onsets),
        shifts(called.ends, requests.starts, onsets),
        strict=True,
    ):
        since = int(np.searchsorted(requests.starts, moment.onset))
        tests = max(made.which.size + said.which.size, FEWEST_TESTS)
        short = cuts(ends, called, since, tests)
        tried.append(
            _Changes(
                moment,
                times.pace(moment.onset),
                made,
                said,
                call_worths(made, callers, tests) * _not_cut(made, short),
                turns.worths(said, tests),
                short,
            )
        )
    return tried


def _not_cut(made: Shift, short: Sequence[Cut]) -> Floats:
    """0..1 by call: what an operation no longer calls because it is cut short is told as that."""
    cut: dict[Operation, float] = {}
    for one in short:
        cut[one.operation] = max(cut.get(one.operation, 0.0), one.worth)
    left = np.ones(made.which.size)
    if cut:
        for at in np.flatnonzero(made.z < 0.0).tolist():
            service, what = made.keys[made.which[at]]
            assert isinstance(what, tuple)
            left[at] -= cut.get((service, str(what[0])), 0.0)
    return left


def _take(worths: dict[str, float], seen: Mapping[str, float], weight: float) -> None:
    """Raise each to what was seen at a moment of this weight."""
    for name, worth in seen.items():
        worths[name] = max(worths.get(name, 0.0), weight * worth)


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
    lost = losses(changes.pace)
    shares = lost.seconds / (lost.total or 1.0)
    confidences = lost.worth * (0.4 + 0.6 * np.minimum(1.0, 2.0 * shares))
    for at in np.flatnonzero(confidences >= REPORTED).tolist():
        one, confidence = changes.pace.slower(at), float(confidences[at])
        evidence.append(time_evidence(one, confidence, float(shares[at]), telemetry, onset))
    for at in np.flatnonzero(changes.made_worths >= REPORTED).tolist():
        worth = float(changes.made_worths[at])
        evidence.append(call_evidence(changes.made.habit(at), worth, telemetry, onset))
    short = [one for one in changes.short if one.worth >= REPORTED]
    evidence += [cut_evidence(one, telemetry, onset) for one in short]
    for at in np.flatnonzero(changes.said_worths >= REPORTED).tolist():
        item, worth = changes.said.habit(at), float(changes.said_worths[at])
        name, after = step(item.what)
        if after != ENDED:
            before = None if name == ENTERED else course.statements[item.service, name]
            statement = course.statements[item.service, after]
            evidence.append(step_evidence(item, statement, before, worth, telemetry, onset))
    return strongest(evidence)
