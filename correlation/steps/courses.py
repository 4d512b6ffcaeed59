"""Where requests stop: after which call an operation makes no further one. Pure.

An exception or an early return cuts a course short. So of the requests that had made a set of
calls, one of them last, the share for which that was all is compared before and since: what lies
after the break differs too, but only because of it. What begins after a span has ended is no part
of its course: nothing waited for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from correlation.steps.habits import Key, Practice
from correlation.steps.leads import leads
from correlation.steps.numbering import NOBODY, Ints, Members, found_in, looked_up
from correlation.steps.spans import Operation, Requests, Rows
from correlation.steps.waits import Calls
from correlation.telemetry import Floats

ENTERED: Operation = ("", "")
"""Stands for the last call of an operation that has made none."""

_ERROR = re.compile(r"error|exception|fallback|fail(?:ed|ure)|rescue|recover", re.IGNORECASE)
"""Operations that are there for when something went wrong."""


@dataclass(frozen=True, eq=False)
class Courses:
    """The courses of all operations that call anything, as columns by call.

    `calls` are (operation, what it called), ENTERED where it had called nothing yet, and `ends`
    says which traces went no further after each. `reached` is the operation that a call leads to
    (`steps.leads`). `rescued` (0..1) is the share of what followed that handled an error, or
    failed. `usual` and `ended` are how many calls the service makes in a request that goes on
    there, or ends; `failing` (0..1) is the share of last calls that failed. `goes_on` tells calls
    that something ever followed. `at` and `traces` are the call and the trace of each step.
    """

    calls: list[tuple[Operation, Operation]]
    ends: Practice
    reached: list[Operation | None]
    rescued: Floats
    usual: Floats
    ended: Floats
    failing: Floats
    goes_on: NDArray[np.bool_]
    at: Ints
    traces: Ints

    def made_since(self, number: int) -> Ints:
        """By call: how often it was made in the traces from `number` on."""
        return np.bincount(self.at[self.traces >= number], minlength=len(self.calls))


@dataclass(frozen=True, eq=False)
class _Steps:
    """Every moment between two calls of a span (a row): the last one's operation and row, NOBODY
    before the first, the set of all calls so far, as a number, and the row called next, NOBODY at
    the end.
    """

    rows: Ints
    last: Ints
    last_rows: Ints
    so_far: Ints
    following: Ints


def courses(requests: Requests) -> Courses:
    """The courses of all requests; costs a few sorts of their spans."""
    spans, count = requests.spans, len(requests.operations)
    waited = _in_course(spans)
    steps = _steps(spans, waited, count)
    codes, at = np.unique(
        _code(spans.operations[steps.rows], steps.last, count), return_inverse=True
    )
    names = [ENTERED, *requests.operations]
    calls = [(names[code // (count + 1) + 1], names[code % (count + 1)]) for code in codes.tolist()]
    traces, ended = spans.traces[steps.rows], steps.following == NOBODY
    reached = looked_up(*_leads(requests, waited, codes))
    services = _services(requests)
    own = services[codes // (count + 1)] if codes.size else codes
    places = _Places.of(requests, services)

    def mean(values: Floats, chosen: Ints) -> Floats:
        sums = np.bincount(at[chosen], weights=values, minlength=codes.size)
        found: Floats = sums / np.maximum(np.bincount(at[chosen], minlength=codes.size), 1)
        return found

    on, off = np.flatnonzero(~ended), np.flatnonzero(ended)
    handles = (
        spans.failed
        | np.array(
            [_ERROR.search(name) is not None for _, name in requests.operations], dtype=np.bool_
        )[spans.operations]
    )
    return Courses(
        calls=calls,
        ends=_ends(calls, at, steps.so_far, ended, traces, requests.starts.size),
        reached=[None if there == NOBODY else requests.operations[there] for there in reached],
        rescued=mean(handles[steps.following[on]].astype(np.float64), on),
        usual=mean(places.made(traces[on], own[at[on]]), on),
        ended=mean(places.made(traces[off], own[at[off]]), off),
        failing=mean(np.append(spans.failed, False)[steps.last_rows[off]].astype(np.float64), off),
        goes_on=np.bincount(at[on], minlength=codes.size) > 0,
        at=at,
        traces=traces,
    )


def _code(operations: Ints, called: Ints, count: int) -> Ints:
    return operations * (count + 1) + called + 1


def _in_course(spans: Rows) -> Calls:
    """The calls that began while their caller had not ended."""
    calls = spans.calls
    parent_of = np.full(spans.starts.size, NOBODY, dtype=np.int64)
    within = spans.starts[calls.children] <= (spans.starts + spans.seconds)[calls.parents]
    parent_of[calls.children[within]] = calls.parents[within]
    return Calls.of(parent_of)


def _steps(spans: Rows, waited: Calls, count: int) -> _Steps:
    called = spans.operations[waited.children]
    calling = np.zeros(count, dtype=np.bool_)
    calling[spans.operations[waited.parents]] = True
    same = np.zeros(called.size, dtype=np.bool_)
    same[1:] = waited.parents[1:] == waited.parents[:-1]
    sets = _sets(waited.parents * count + called, called, waited.first[waited.parents])
    ending = np.flatnonzero(calling[spans.operations])
    last = np.where(waited.count[ending] > 0, (waited.first + waited.count - 1)[ending], NOBODY)
    before = np.where(same, np.arange(called.size) - 1, NOBODY)
    return _Steps(
        np.concatenate((waited.parents, ending)),
        looked_up(called, np.concatenate((before, last))),
        looked_up(waited.children, np.concatenate((before, last))),
        looked_up(sets, np.concatenate((before, last))),
        np.concatenate((waited.children, np.full(ending.size, NOBODY, dtype=np.int64))),
    )


def _sets(kinds: Ints, called: Ints, first: Ints) -> Ints:
    """A number for the set of operations called up to each call, whatever their order.

    `kinds` are the same for calls of one operation by one span, `first` is the place of a span's
    first call. Sums of scrambled numbers: two sets in 2^64 have the same.
    """
    new = np.zeros(called.size, dtype=np.bool_)
    new[np.unique(kinds, return_index=True)[1]] = True
    scrambled = np.where(new, _scrambled(called), np.uint64(0))
    summed = np.cumsum(scrambled, dtype=np.uint64)
    found: Ints = (summed - (summed - scrambled)[first]).view(np.int64)
    return found


def _scrambled(numbers: Ints) -> NDArray[np.uint64]:
    """Steele, Lea and Flood's splitmix64."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return found


def _ends(
    calls: list[tuple[Operation, Operation]],
    at: Ints,
    so_far: Ints,
    ended: NDArray[np.bool_],
    traces: Ints,
    count: int,
) -> Practice:
    """Ending after a call, of the requests that had made the same calls."""
    _, which = np.unique(so_far, return_inverse=True)
    sets = int(which.max(initial=NOBODY)) + 1
    strata, stratum = np.unique(at * sets + which, return_inverse=True)
    rows = np.unique(stratum[ended])
    keys: list[Key] = [(operation[0], (operation, last)) for operation, last in calls]
    return Practice(
        keys,
        strata[rows] // max(sets, 1),
        rows,
        Members.of(stratum, traces, count),
        Members.of(np.searchsorted(rows, stratum[ended]), traces[ended], count),
    )


def _leads(requests: Requests, waited: Calls, codes: Ints) -> tuple[Ints, Ints]:
    """Operations, and by call of `codes` the place there of the one it leads to."""
    count = len(requests.operations)
    operations, called, reached = leads(requests, waited)
    found = _code(operations, called, count)
    order = np.argsort(found, kind="stable")
    return reached[order], found_in(found[order], codes)


def _services(requests: Requests) -> Ints:
    """The number of each operation's service."""
    found = np.zeros(len(requests.operations), dtype=np.int64)
    found[requests.spans.operations] = requests.spans.services
    return found


@dataclass(frozen=True, eq=False)
class _Places:
    """How many calls, each kind once, a service makes in a trace: by ascending key of both."""

    keys: Ints
    counts: Ints
    services: int

    @classmethod
    def of(cls, requests: Requests, services: Ints) -> _Places:
        number_of = {operation: at for at, operation in enumerate(requests.operations)}
        callers = np.array([number_of[caller] for caller, _ in requests.pairs], dtype=np.int64)
        size = int(services.max(initial=0)) + 1
        made = requests.called
        keys, counts = np.unique(
            made.traces * size + services[callers][made.groups], return_counts=True
        )
        return cls(keys, counts, size)

    def made(self, traces: Ints, services: Ints) -> Floats:
        """By pair of a trace and a service; 0 where it calls nothing."""
        place = found_in(self.keys, traces * self.services + services)
        found = looked_up(self.counts, place)
        return np.where(place == NOBODY, 0, found).astype(np.float64)
