"""What requests did differently, as evidence a person can read: times, calls, steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from correlation.steps.courses import ENTERED as NO_CALL
from correlation.steps.cuts import Cut
from correlation.steps.flow import ENTERED, Statement
from correlation.steps.habits import Habit
from correlation.steps.times import Slower
from correlation.telemetry import Evidence, LogLine, Telemetry
from correlation.units import humanised

SELF_TIME, EDGE_TIME, CALLS = "self_time_by_operation", "edge_time", "calls_made"
CUT_SHORT = "cut_short"

REPORTED = 0.15
"""Weaker changes are noise: they are weighed but not reported."""

MOST = 6
"""Pieces of evidence of one kind for one service, strongest first."""

LONGEST_PATTERN = 110


def strongest(evidence: Iterable[Evidence]) -> list[Evidence]:
    """At most MOST of a kind and service, strongest first, each key once."""
    kept: dict[tuple[str, str], int] = {}
    keys: set[str] = set()
    chosen = []
    for item in sorted(evidence, key=lambda item: (-item.confidence, item.key, item.title)):
        group = (item.service, item.signal)
        if item.key in keys or kept.get(group, 0) >= MOST:
            continue
        keys.add(item.key)
        kept[group] = kept.get(group, 0) + 1
        chosen.append(item)
    return chosen


def time_evidence(
    one: Slower, confidence: float, share: float, telemetry: Telemetry, onset: float
) -> Evidence:
    """An operation that takes longer; `share` of all the time lost is lost there."""
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
        onset_at=onset,
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


def call_evidence(item: Habit, worth: float, telemetry: Telemetry, onset: float) -> Evidence:
    """A call that an operation makes in more, or in fewer, of its requests."""
    assert isinstance(item.what, tuple)
    operation, peer, called = (str(part) for part in item.what)
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
            "change": change_of(item),
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


def cut_evidence(one: Cut, telemetry: Telemetry, onset: float) -> Evidence:
    """An operation that more often makes no further call after one: told of who broke, likelier."""
    item = one.habit
    operation, last = one.operation[1], one.last[1]
    what = "makes no call" if one.last == NO_CALL else f'makes no further call after "{last}"'
    peer = one.reached[0] if one.reached and one.by_callee > 0.5 else None
    return Evidence(
        key=f"trace:{item.service}{'>' + peer if peer else ''}:{CUT_SHORT}:"
        f"{_name(operation, last)}",
        type="trace",
        service=item.service,
        signal=CUT_SHORT,
        confidence=round(min(one.worth, 0.95), 4),
        onset_at=onset,
        baseline=round(item.n0 / item.of0, 6),
        value=round(item.n1 / item.of1, 6),
        title=f'{item.service}: "{operation}" {what} in {item.n1 / item.of1:.0%} of its requests, '
        f"{item.n0 / item.of0:.0%} before",
        unit="ratio",
        direction="up",
        peer=peer,
        source=telemetry.trace_source,
        details={
            "operation": operation,
            "change": change_of(item),
            "called": one.reached[0] if one.reached else "",
            "n": item.of1,
            "compared_with": item.of0,
            "share": round(item.n1 / item.of1, 4),
            "effect": round(item.z, 3),
            "trace_ids": [],
            "samples": [],
            "apart": [],
        },
    )


def step_evidence(
    item: Habit,
    after: Statement,
    before: Statement | None,
    worth: float,
    telemetry: Telemetry,
    onset: float,
) -> Evidence:
    """A statement that follows another (or the entry, None) in more, or in fewer, requests."""
    since = [line for line in after.lines if line.at >= onset]
    change = change_of(item)
    where = f' after "{_short(before.template)}"' if before else ""
    step = _name(*map(str, item.what)) if isinstance(item.what, tuple) else ""
    entered = isinstance(item.what, tuple) and item.what[0] == ENTERED
    return Evidence(
        key=f"log:{item.service}:{after.identity}{'' if entered else ':' + step}",
        type="log",
        service=item.service,
        signal="log_template",
        confidence=round(min(worth, 0.97), 4),
        onset_at=onset,
        baseline=round(item.n0 / item.of0, 6),
        value=round(item.n1 / item.of1, 6),
        title=f'{item.service}: {change} log pattern "{_short(after.template)}"{where} '
        f"(in {item.n1} of {item.of1} requests, {item.n0} of {item.of0} before)",
        unit="ratio",
        direction="up" if item.z > 0 else "down",
        source=telemetry.log_source,
        query=telemetry.log_query,
        details={
            "template": after.template,
            "template_id": after.identity,
            "change": change,
            "level": after.level,
            "count": len(since),
            "count_baseline": len(after.lines) - len(since),
            "requests": item.of1,
            "requests_baseline": item.of0,
            "effect": round(item.z, 3),
            "samples": [line.message[:1000] for line in _spread(since or after.lines)],
            "names": [],
            "points": [],
        },
    )


def change_of(item: Habit) -> str:
    """new, surging, vanished or fading."""
    if item.z > 0:
        return "new" if item.n0 == 0 else "surging"
    return "vanished" if item.n1 == 0 else "fading"


def _short(template: str) -> str:
    return " ".join(template.split())[:LONGEST_PATTERN]


def _spread(lines: Sequence[LogLine]) -> list[LogLine]:
    return [lines[0], lines[len(lines) // 2], lines[-1]] if len(lines) > 3 else list(lines)


def _name(*words: str) -> str:
    return blake2b("\x1f".join(words).encode(), digest_size=6).hexdigest()
