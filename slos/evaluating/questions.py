"""Which queries tell what many SLOs count: one a shape and window, not one an SLO. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from slos.burn import HOUR, MINUTE, Events
from slos.definition import Indicator, Latency, Threshold
from slos.promql import (
    EDGE_SECONDS,
    Counter,
    Member,
    Shape,
    counters,
    duration_of,
    grouped,
    grouped_exact,
    member,
    samples,
    scrapes,
)

SHORT_WINDOWS = (MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR)
"""Windows that the source is asked for; longer ones are summed from stored rows."""
FOUR_SCRAPES = 4


@dataclass(frozen=True)
class Ask:
    """One query of one window; its answer is by the value of `label` ("" for a single one)."""

    query: str
    label: str


@dataclass(frozen=True)
class Part:
    """Where one SLO finds a number of its own: in whose answer, under which label value."""

    ask: Ask
    value: str


@dataclass(frozen=True)
class Parts:
    """What an SLO's events are made of; `bad` says that `part` counts the bad ones.

    `always` says that `part` is there whenever the total is: a histogram has all of its buckets.
    `scrapes` is None where an expression hides them: then an answer means that all are there.
    """

    part: Part
    total: Part
    scrapes: Part | None
    bad: bool
    always: bool = False


@dataclass(frozen=True)
class Plan:
    """The queries of one window, each once, and what each SLO takes from their answers."""

    window_seconds: float
    asks: tuple[Ask, ...]
    parts: Mapping[UUID, Parts]

    def events(
        self,
        key: UUID,
        answers: Mapping[Ask, Mapping[str, float]],
        scrape_seconds: float,
    ) -> Events:
        """The SLO's events in the window; no series of all events is no data, not no traffic.

        A series of a part that nobody has ever counted does not exist yet: it is 0. A histogram
        without the bucket of its threshold tells nothing.
        """
        parts = self.parts[key]
        total = _value(answers, parts.total)
        if total is None:
            return Events(0.0, 0.0, 0.0)
        part = _value(answers, parts.part)
        if part is None and parts.always:
            return Events(0.0, 0.0, 0.0)
        part = part or 0.0
        present = 1.0
        if parts.scrapes is not None:
            expected = max(self.window_seconds / scrape_seconds - 1, 1.0)
            present = min((_value(answers, parts.scrapes) or 0.0) / expected, 1.0)
        good = total - part if parts.bad else part
        return Events(good, total, present)


def plan(
    indicators: Mapping[UUID, Indicator], window_seconds: float, scrape_seconds: float
) -> Plan:
    """The queries that tell the events of a window (seconds) of all these indicators.

    A window shorter than four scrapes is widened to them.
    """
    seconds = max(window_seconds, FOUR_SCRAPES * scrape_seconds)
    window = duration_of(seconds)

    def counting(shape: Shape, values: Sequence[str]) -> str:
        return grouped(shape, values, window)

    return _plan(indicators, seconds, scrape_seconds, counting)


def piece_plan(
    indicators: Mapping[UUID, Indicator], piece_seconds: float, scrape_seconds: float
) -> Plan:
    """The queries that tell the events of one piece (seconds) of a longer span.

    Pieces laid end to end count every event, and every sample of a gauge, once.
    """

    def counting(shape: Shape, values: Sequence[str]) -> str:
        return grouped_exact(shape, values, piece_seconds, scrape_seconds)

    return _plan(indicators, piece_seconds, scrape_seconds, counting, EDGE_SECONDS)


def _plan(
    indicators: Mapping[UUID, Indicator],
    seconds: float,
    scrape_seconds: float,
    counting: Callable[[Shape, Sequence[str]], str],
    edge_seconds: float = 0.0,
) -> Plan:
    window, step = duration_of(seconds), duration_of(scrape_seconds)
    of_gauge = duration_of(seconds - edge_seconds)
    members: dict[UUID, tuple[Member, Member, bool]] = {}
    parts: dict[UUID, Parts] = {}
    for key, indicator in indicators.items():
        if isinstance(indicator, Threshold):
            good, total = samples(indicator.query, indicator.op, indicator.value, of_gauge, step)
            in_total = Part(Ask(total, ""), "")
            parts[key] = Parts(Part(Ask(good, ""), ""), in_total, in_total, bad=False)
            continue
        found = counters(indicator)
        assert found is not None
        members[key] = (member(found.part), member(found.total), found.bad)
    counts = {
        shape: Ask(counting(shape, values), shape.label)
        for shape, values in _by_shape(m for pair in members.values() for m in pair[:2]).items()
    }
    seen = {
        shape: Ask(scrapes(shape, values, window), shape.label)
        for shape, values in _by_shape(pair[1] for pair in members.values()).items()
        if shape.label or Counter(shape.text).selector
    }
    for key, (counted, whole, bad) in members.items():
        parts[key] = Parts(
            Part(counts[counted.shape], counted.value),
            Part(counts[whole.shape], whole.value),
            Part(seen[whole.shape], whole.value) if whole.shape in seen else None,
            bad,
            isinstance(indicators[key], Latency),
        )
    asks = dict.fromkeys(
        part.ask
        for one in parts.values()
        for part in (one.part, one.total, one.scrapes)
        if part is not None
    )
    return Plan(seconds, tuple(asks), parts)


def _by_shape(members: Iterable[Member]) -> dict[Shape, list[str]]:
    values: dict[Shape, list[str]] = {}
    for one in members:
        values.setdefault(one.shape, []).append(one.value)
    return values


def _value(answers: Mapping[Ask, Mapping[str, float]], part: Part) -> float | None:
    return answers.get(part.ask, {}).get(part.value)
