"""Which statement a request logs after which: the course of an operation, as its lines tell it.

A fault changes the course at one place; everything after it differs too, and so do the courses of
all callers. So what is compared is the step, not the statement: of the requests that logged one
statement (or entered the operation), the share that logged another next (or nothing more).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from correlation.logs.patterns import fingerprints, normal_level
from correlation.steps.habits import Key, Practice
from correlation.steps.numbering import NOBODY, Ints, Members, found_in, in_order, numbered, numbers
from correlation.steps.places import Places
from correlation.steps.spans import Requests
from correlation.telemetry import LogLine, Telemetry

ENTERED, ENDED = "^", "$"
"""What stands before the first and after the last statement of an operation."""

_LOCATION = re.compile(r"[\w.$\[\]]+(?:#|\.\w{1,4}:)\d+\b")
_WORDS = re.compile(r"[A-Za-z][A-Za-z_.]*")
_MASK = re.compile(r"<\w+>")


@dataclass(eq=False)
class Statement:
    """One place in a service's code that logs, with the lines it logged, in time order."""

    level: str
    template: str
    identity: str
    lines: list[LogLine] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Flow:
    """The steps of all operations.

    A stratum of `steps` is an operation and a statement of it, a habit (service, (statement, next
    one)). `statements` are by service and name, `lines_seen` the ids of the lines that belong to
    an operation of a trace.
    """

    statements: dict[tuple[str, str], Statement]
    steps: Practice
    lines_seen: frozenset[int]


def flow(telemetry: Telemetry, requests: Requests) -> Flow:
    """The steps that the lines of `telemetry` show, as far as they belong to its traces."""
    lines = [line for line in telemetry.logs if line.at <= telemetry.as_of]
    order = in_order(np.array([line.at for line in lines]), lambda at: _told_apart(lines[at]))
    lines = [lines[at] for at in order.tolist()]
    marks = fingerprints([line.message for line in lines])
    places = requests.directory.places(lines)
    placed = [lines[at] for at in places.lines.tolist()]
    marks = [marks[at] for at in places.lines.tolist()]
    templates = [template for template, _, _ in marks]
    name_of = {template: statement_of(template) for template in set(templates)}
    names = numbered([ENTERED, ENDED, *name_of.values()])
    said = numbers(templates, {template: names[name] for template, name in name_of.items()})
    statements: dict[tuple[str, str], Statement] = {}
    listed = list(names)
    for which in _alike(places.services * len(names) + said):
        first = placed[which[0]]
        template, identity, level = marks[which[0]]
        statements[first.service, listed[said[which[0]]]] = Statement(
            normal_level(first.level) or level, template, identity, [placed[at] for at in which]
        )
    return Flow(
        statements, _steps(requests, places, said, names), frozenset(id(line) for line in placed)
    )


def _alike(keys: Ints) -> list[list[int]]:
    """The places of each key, ascending."""
    order = np.argsort(keys, kind="stable")
    borders = np.flatnonzero(np.diff(keys[order])) + 1
    return [part.tolist() for part in np.split(order, borders)] if keys.size else []


def _told_apart(line: LogLine) -> tuple[str, str, str]:
    return line.service, line.message, line.level


def _steps(requests: Requests, places: Places, said: Ints, names: dict[str, int]) -> Practice:
    """What follows what, of the statements `said` in time order at these places."""
    order = np.lexsort((places.spans, places.operations, places.traces))
    traces, operations = places.traces[order], places.operations[order]
    spans, after = places.spans[order], said[order]
    opens = np.ones(order.size, dtype=bool)
    opens[1:] = (
        (traces[1:] != traces[:-1])
        | (operations[1:] != operations[:-1])
        | (spans[1:] != spans[:-1])
    )
    ends = np.flatnonzero(np.append(opens, True)[1:])
    before = np.where(opens, names[ENTERED], np.append([NOBODY], after)[:-1])
    silent = _silent(requests, Members.of(operations, traces, requests.starts.size))
    steps = np.array(
        [
            np.concatenate((operations, operations[ends], silent.groups)),
            np.concatenate((before, after[ends], np.full(silent.groups.size, names[ENTERED]))),
            np.concatenate((after, np.full(ends.size + silent.groups.size, names[ENDED]))),
        ]
    )
    return _practice(
        requests, list(names), steps, np.concatenate((traces, traces[ends], silent.traces))
    )


def _silent(requests: Requests, spoke: Members) -> Members:
    """The traces of each operation that spoke in some, in which it said nothing.

    A trace nobody logged in says nothing.
    """
    ran, count = requests.ran, max(requests.starts.size, 1)
    logged = np.zeros(count, dtype=bool)
    logged[spoke.traces] = True
    speaking = np.zeros(len(requests.operations), dtype=bool)
    speaking[spoke.groups] = True
    heard = found_in(spoke.groups * count + spoke.traces, ran.groups * count + ran.traces)
    chosen = logged[ran.traces] & speaking[ran.groups] & (heard == NOBODY)
    return Members(ran.groups[chosen], ran.traces[chosen])


def _practice(requests: Requests, names: list[str], steps: Ints, traces: Ints) -> Practice:
    """The `steps`, columns of (operation, statement, next one), that were taken in `traces`."""
    operations, before, after = steps
    count = requests.starts.size
    strata, stratum = np.unique(operations * len(names) + before, return_inverse=True)
    rows, row = np.unique(stratum * len(names) + after, return_inverse=True)
    strata_of, next_of = rows // len(names), rows % len(names)
    service_of = [service for service, _ in requests.operations]
    services = numbers(service_of, numbered(service_of))[strata // len(names)]
    before_of = strata[strata_of] % len(names)
    codes = (services[strata_of] * len(names) + before_of) * len(names) + next_of
    _, first, habits = np.unique(codes, return_index=True, return_inverse=True)
    habit_of = np.empty_like(first)
    habit_of[np.argsort(first)] = np.arange(first.size)
    habits = habit_of[habits]
    seen = np.sort(first)
    keys: list[Key] = [
        (service_of[stratum // len(names)], (names[stratum % len(names)], names[after]))
        for stratum, after in zip(
            strata[strata_of[seen]].tolist(), next_of[seen].tolist(), strict=True
        )
    ]
    order = np.argsort(habits, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return Practice(
        keys=keys,
        habits=habits[order],
        strata=strata_of[order],
        ran=Members.of(stratum, traces, count),
        did=Members.of(place[row], traces, count),
    )


def statement_of(template: str) -> str:
    """What wrote a line: its code location where it says so, else the first words.

    The data in a line may have a shape of its own that is no template; what stands first does not.
    """
    location = _LOCATION.search(template[:100])
    if location is not None:
        return location[0]
    return " ".join(_WORDS.findall(_MASK.sub(" ", template))[:6])
