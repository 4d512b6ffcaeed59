"""From what requests did differently to evidence, and to how far each service is to blame.

Time is shared out: a service answers for the share of all lost time that was lost in it or on
the way to and from it, as far as its edges agree (all of them slow: it is the service; one of
many: it is the other end). A habit that changed counts by how sure and how large the change is;
a change further down explains those above it, for callers see other answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from correlation.log_patterns import fingerprints, normal_level
from correlation.magnitude import hill
from correlation.request_evidence import (
    Habit,
    Operation,
    Requests,
    Slower,
    arranged,
    call_habits,
    habits,
    slower,
)
from correlation.telemetry import Evidence, LogLine, Telemetry
from correlation.units import humanised

SELF_TIME, EDGE_TIME, CALLS = "self_time_by_operation", "edge_time", "calls_made"
REQUEST_SIGNALS = frozenset({SELF_TIME, EDGE_TIME, CALLS})

LEVEL_WEIGHTS = {"fatal": 1.0, "error": 1.0, "warn": 0.95, "": 0.85, "info": 0.85, "debug": 0.6}
REPORTED = 0.15
MOST = 6
"""Pieces of evidence of one kind for one service, strongest first."""

STEP_SECONDS = 30.0
"""Onsets are tried this far apart."""

_LOCATION = re.compile(r"[\w.$\[\]]+(?:#|\.\w{1,4}:)\d+\b")
_WORDS = re.compile(r"[A-Za-z][A-Za-z_.]*")
_MASK = re.compile(r"<\w+>")


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


@dataclass(eq=False)
class _Statement:
    level: str
    template: str
    identity: str
    by_operation: dict[Operation, set[str]] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)


def request_findings(telemetry: Telemetry) -> RequestFindings | None:
    """None without unbiased traces on both sides of the window's start."""
    if not telemetry.traces_unbiased or not telemetry.spans:
        return None
    requests = arranged(span for span in telemetry.spans if span.start <= telemetry.as_of)
    statements, seen = _statements(telemetry, requests)
    called = call_habits(requests)
    logged = {key: one.by_operation for key, one in statements.items()}
    callees: dict[str, set[str]] = {}
    for operation, other in requests.calls:
        if operation[0] != other[0]:
            callees.setdefault(operation[0], set()).add(other[0])
    tried: list[tuple[float, float, RequestFindings]] = []
    for onset in _onsets(telemetry, requests):
        times = slower(requests, telemetry, onset)
        made, said = habits(requests, onset, called), habits(requests, onset, logged)
        weight = _plausible(onset - telemetry.started_at)
        found = _findings(telemetry, onset, times, made, said, statements, callees)
        tried.append((weight, _height(times, made, said), found))
    _, _, best = max(tried, key=lambda one: (one[0] * one[1], -one[2].onset))
    best.lines_seen = seen
    total = sum(weight for weight, _, _ in tried)
    for worths, kind in zip(best.by_kind(), range(3), strict=True):
        names = {name for _, _, found in tried for name in found.by_kind()[kind]}
        for name in sorted(names):
            shares = [(w, found.by_kind()[kind].get(name, 0.0)) for w, _, found in tried]
            worths[name] = sum(w * worth for w, worth in shares) / total
    return best


def _findings(
    telemetry: Telemetry,
    onset: float,
    times: list[Slower],
    made: list[Habit],
    said: list[Habit],
    statements: Mapping[tuple[str, Hashable], _Statement],
    callees: Mapping[str, set[str]],
) -> RequestFindings:
    """What there is to say if it began at `onset`."""
    found = RequestFindings(onset, compared=frozenset(one.service for one in times))
    tests = max(len(times) + len(made) + len(said), 10)
    _blame_time(found, times, tests, telemetry)
    for item in made:
        worth = _habit_worth(item, tests) * 0.9
        found.calls[item.service] = max(found.calls.get(item.service, 0.0), worth)
        if worth >= REPORTED:
            found.evidence.append(_call_evidence(item, worth, telemetry, onset))
    for item in said:
        one = statements[item.service, item.what]
        worth = _habit_worth(item, tests) * LEVEL_WEIGHTS.get(one.level, 0.6)
        found.lines[item.service] = max(found.lines.get(item.service, 0.0), worth)
        if worth >= REPORTED:
            found.evidence.append(_line_evidence(item, one, worth, telemetry, onset))
    _explain_callers(found.lines, found.calls, callees)
    found.evidence = _strongest(found.evidence)
    return found


def _onsets(telemetry: Telemetry, requests: Requests) -> list[float]:
    """Moments near the start that have traces just before them; the start when none has."""
    start, last = telemetry.started_at, telemetry.as_of - STEP_SECONDS
    moments = np.sort(np.array(list(requests.starts.values())))
    found = []
    for since in (-90.0, -60.0, -30.0, 0.0, 30.0):
        at = start + since
        before = np.searchsorted(moments, at) - np.searchsorted(moments, at - 60.0)
        if telemetry.window[0] <= at <= last and before >= 10:
            found.append(at)
    return found or [start]


def _height(times: list[Slower], made: list[Habit], said: list[Habit]) -> float:
    """How well a moment parts before from since: the strongest changes, none counting for all."""
    pulls = [min(max(one.z, 0.0), 12.0) for one in times if one.now > 1.3 * one.before]
    pulls += [min(abs(one.z), 12.0) for one in (*made, *said)]
    return sum(sorted(pulls, reverse=True)[:8])


def _plausible(since_start: float) -> float:
    """Alerts come a little after what they tell of: the further from that, the less likely."""
    return math.exp(-abs(since_start + 15.0) / 45.0)


def _sure(z: float, tests: int) -> float:
    centre = math.sqrt(2.0 * math.log(tests))
    return 1.0 / (1.0 + math.exp(-max(min((abs(z) - centre) / 0.6, 40.0), -40.0)))


def _habit_worth(item: Habit, tests: int) -> float:
    return _sure(item.z, tests) * hill(abs(item.ratio), 1.6, 2.0)


def _blame_time(
    found: RequestFindings, times: list[Slower], tests: int, telemetry: Telemetry
) -> None:
    sure = [(_sure(one.z, tests) if one.z > 0 else 0.0, one) for one in times]
    lost = [(sureness * one.lost_seconds, one) for sureness, one in sure]
    total = sum(seconds for seconds, _ in lost)
    if total <= 0.0:
        return
    edges: dict[tuple[str, str], tuple[float, float]] = {}
    own: dict[str, float] = {}
    strongest: dict[str, float] = {}
    for (sureness, one), (seconds, _) in zip(sure, lost, strict=True):
        worth = sureness * hill(
            max(math.log((one.now + 5e-4) / (one.before + 5e-4)), 0.0), 0.5, 2.0
        )
        if one.peer:
            known = edges.get((one.service, one.peer), (0.0, 0.0))
            edges[one.service, one.peer] = (known[0] + seconds, max(known[1], worth))
        else:
            own[one.service] = own.get(one.service, 0.0) + seconds
            strongest[one.service] = max(strongest.get(one.service, 0.0), worth)
        confidence = worth * (0.4 + 0.6 * min(1.0, 2.0 * seconds / total))
        if confidence >= REPORTED:
            found.evidence.append(
                _time_evidence(one, confidence, seconds / total, telemetry, found)
            )
    for service in sorted(set(own) | {end for edge in edges for end in edge}):
        touching = [pair for edge, pair in sorted(edges.items()) if service in edge]
        on_edges = sum(seconds for seconds, _ in touching)
        agreeing = sum(worth for _, worth in touching) / len(touching) if touching else 0.0
        share = (own.get(service, 0.0) + on_edges * agreeing) / total
        worth = max([strongest.get(service, 0.0), *(worth for _, worth in touching)])
        found.time[service] = worth * min(1.0, share) ** 0.7


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
                worths[name] *= 1.0 - 0.7 * below


def _statements(
    telemetry: Telemetry, requests: Requests
) -> tuple[dict[tuple[str, Hashable], _Statement], frozenset[int]]:
    """Lines by what wrote them, as far as they belong to an operation of a trace."""
    lines = [line for line in telemetry.logs if line.at <= telemetry.as_of]
    found: dict[tuple[str, Hashable], _Statement] = {}
    seen = set()
    for line, (template, identity, level) in zip(
        lines, fingerprints([line.message for line in lines]), strict=True
    ):
        operation = requests.operation_of.get((line.trace_id, line.span_id))
        if operation is None or operation[0] != line.service:
            operation = requests.entry_of.get((line.trace_id, line.service))
        if operation is None:
            continue
        seen.add(id(line))
        level = normal_level(line.level) or level
        one = found.setdefault(
            (line.service, statement_of(template)), _Statement(level, template, identity)
        )
        one.by_operation.setdefault(operation, set()).add(line.trace_id)
        one.lines.append(line)
    return dict(sorted(found.items(), key=lambda pair: (pair[0][0], str(pair[0][1])))), frozenset(
        seen
    )


def statement_of(template: str) -> str:
    """What wrote a line: its code location where it says so, else the first words.

    The data in a line may have a shape of its own that is no template; what stands first does not.
    """
    location = _LOCATION.search(template[:100])
    if location is not None:
        return location[0]
    return " ".join(_WORDS.findall(_MASK.sub(" ", template))[:6])


def _strongest(evidence: Iterable[Evidence]) -> list[Evidence]:
    kept: dict[tuple[str, str], int] = {}
    chosen = []
    for item in sorted(evidence, key=lambda item: (-item.confidence, item.key)):
        group = (item.service, item.signal)
        kept[group] = kept.get(group, 0) + 1
        if kept[group] <= MOST:
            chosen.append(item)
    return chosen


def _time_evidence(
    one: Slower, confidence: float, share: float, telemetry: Telemetry, found: RequestFindings
) -> Evidence:
    where = f"{one.service} to {one.peer}" if one.peer else one.service
    what = "on the way" if one.peer else "of its own"
    signal = EDGE_TIME if one.peer else SELF_TIME
    return Evidence(
        key=f"trace:{one.service}{'>' + one.peer if one.peer else ''}:{signal}:"
        f"{_name(one.operation)}",
        type="trace",
        service=one.service,
        signal=signal,
        confidence=round(min(confidence, 0.97), 4),
        onset_at=found.onset,
        baseline=round(one.before, 6),
        value=round(one.now, 6),
        title=f'{where}: "{one.operation}" takes {humanised(one.now, "s")} {what}, '
        f"usually {humanised(one.before, 's')}: {share:.0%} of the time lost",
        unit="s",
        peer=one.peer or None,
        source=telemetry.trace_source,
        details={
            "operation": one.operation,
            "share": round(share, 4),
            "n": one.executions,
            "compared_with": one.executions_before,
            "effect": round(one.z, 3),
            "trace_ids": [],
            "samples": [],
            "apart": [],
        },
    )


def _call_evidence(item: Habit, worth: float, telemetry: Telemetry, onset: float) -> Evidence:
    assert isinstance(item.what, tuple)
    operation, peer, called = (str(part) for part in item.what)
    change = _change(item)
    return Evidence(
        key=f"trace:{item.service}>{peer}:{CALLS}:{_name(operation, called)}",
        type="trace",
        service=item.service,
        signal=CALLS,
        confidence=round(min(worth, 0.95), 4),
        onset_at=onset,
        baseline=round(item.n0 / item.of0, 6),
        value=round(item.n1 / item.of1, 6),
        title=f'{item.service}: "{operation}" calls "{called}" of {peer} in '
        f"{item.n1 / item.of1:.0%} of its requests, {item.n0 / item.of0:.0%} before",
        unit="ratio",
        direction="up" if item.z > 0 else "down",
        source=telemetry.trace_source,
        details={
            "operation": operation,
            "change": change,
            "called": peer,
            "n": item.of1,
            "compared_with": item.of0,
            "share": round(item.n1 / item.of1, 4),
            "effect": round(item.z, 3),
            "trace_ids": [],
            "samples": [],
            "apart": [],
        },
    )


def _line_evidence(
    item: Habit, one: _Statement, worth: float, telemetry: Telemetry, onset: float
) -> Evidence:
    since = [line for line in one.lines if line.at >= onset]
    shown = _spread(since or one.lines)
    change = _change(item)
    text = " ".join(one.template.split())[:110]
    return Evidence(
        key=f"log:{item.service}:{one.identity}",
        type="log",
        service=item.service,
        signal="log_template",
        confidence=round(min(worth, 0.97), 4),
        onset_at=onset,
        baseline=round(item.n0 / item.of0, 6),
        value=round(item.n1 / item.of1, 6),
        title=f'{item.service}: {change} log pattern "{text}" (in {item.n1} of {item.of1} '
        f"requests, {item.n0} of {item.of0} before)",
        unit="ratio",
        direction="up" if item.z > 0 else "down",
        source=telemetry.log_source,
        query=telemetry.log_query,
        details={
            "template": one.template,
            "template_id": one.identity,
            "change": change,
            "level": one.level,
            "count": len(since),
            "count_baseline": len(one.lines) - len(since),
            "requests": item.of1,
            "requests_baseline": item.of0,
            "effect": round(item.z, 3),
            "samples": [line.message[:1000] for line in shown],
            "names": [],
            "points": [],
        },
    )


def _change(item: Habit) -> str:
    if item.z > 0:
        return "new" if item.n0 == 0 else "surging"
    return "vanished" if item.n1 == 0 else "fading"


def _spread(lines: Sequence[LogLine]) -> list[LogLine]:
    return [lines[0], lines[len(lines) // 2], lines[-1]] if len(lines) > 3 else list(lines)


def _name(*words: str) -> str:
    return blake2b("\x1f".join(words).encode(), digest_size=6).hexdigest()
