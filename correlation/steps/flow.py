"""Which statement a request logs after which: the course of an operation, as its lines tell it.

A fault changes the course at one place; everything after it differs too, and so do the courses of
all callers. So what is compared is the step, not the statement: of the requests that logged one
statement (or entered the operation), the share that logged another next (or nothing more).
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field

from correlation.logs.patterns import fingerprints, normal_level
from correlation.steps.habits import Key
from correlation.steps.spans import Operation, Requests
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


@dataclass(eq=False)
class Flow:
    """The steps of all operations.

    `ran` are the traces by (operation, statement), `done` by (service, (statement, next one)) and
    that stratum; `lines_seen` the ids of the lines that belong to an operation of a trace.
    """

    statements: dict[tuple[str, str], Statement] = field(default_factory=dict)
    ran: dict[Hashable, set[int]] = field(default_factory=dict)
    done: dict[Key, dict[Hashable, set[int]]] = field(default_factory=dict)
    lines_seen: frozenset[int] = frozenset()


def flow(telemetry: Telemetry, requests: Requests) -> Flow:
    """The steps that the lines of `telemetry` show, as far as they belong to its traces."""
    lines = sorted(
        (line for line in telemetry.logs if line.at <= telemetry.as_of),
        key=lambda line: (line.at, line.service, line.message, line.level),
    )
    found = Flow()
    courses: dict[tuple[int, Operation, str], list[str]] = {}
    seen = set()
    for line, (template, identity, level) in zip(
        lines, fingerprints([line.message for line in lines]), strict=True
    ):
        operation, span_id = requests.operation_of.get((line.trace_id, line.span_id)), line.span_id
        if operation is None or operation[0] != line.service:
            operation, span_id = requests.entry_of.get((line.trace_id, line.service)), ""
        if operation is None:
            continue
        seen.add(id(line))
        name = statement_of(template)
        one = found.statements.setdefault(
            (line.service, name), Statement(normal_level(line.level) or level, template, identity)
        )
        one.lines.append(line)
        course = (requests.number_of[line.trace_id], operation, span_id)
        courses.setdefault(course, []).append(name)
    found.lines_seen = frozenset(seen)
    _take_steps(found, requests, courses)
    return found


def _take_steps(
    found: Flow, requests: Requests, courses: dict[tuple[int, Operation, str], list[str]]
) -> None:
    ran: dict[tuple[Operation, str], set[int]] = {}
    did: dict[tuple[Operation, str, str], set[int]] = {}
    spoke: dict[Operation, set[int]] = {}
    for (trace, operation, _), names in courses.items():
        spoke.setdefault(operation, set()).add(trace)
        for name, after in zip((ENTERED, *names), (*names, ENDED), strict=True):
            ran.setdefault((operation, name), set()).add(trace)
            did.setdefault((operation, name, after), set()).add(trace)
    logged = {trace for trace, _, _ in courses}
    for operation, traces in spoke.items():  # a trace nobody logged in says nothing
        silent = (requests.ran[operation] & logged) - traces
        if silent:
            ran[operation, ENTERED] |= silent
            did.setdefault((operation, ENTERED, ENDED), set()).update(silent)
    found.ran = {key: ran[key] for key in sorted(ran)}
    for operation, name, after in sorted(did):
        habit = found.done.setdefault((operation[0], (name, after)), {})
        habit[operation, name] = did[operation, name, after]


def statement_of(template: str) -> str:
    """What wrote a line: its code location where it says so, else the first words.

    The data in a line may have a shape of its own that is no template; what stands first does not.
    """
    location = _LOCATION.search(template[:100])
    if location is not None:
        return location[0]
    return " ".join(_WORDS.findall(_MASK.sub(" ", template))[:6])
