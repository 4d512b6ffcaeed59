"""Five-minute rows of the past, by range queries: what a stop missed, what an SLO never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from slos.burn import HOUR
from slos.definition import Indicator
from slos.evaluating import asking, samples
from slos.evaluating.questions import Ask, Plan, piece_plan
from slos.evaluating.samples import STEP, Row
from slos.models import SLOSample

PIECE_SECONDS = 24 * HOUR  # 288 points a series in one answer
DEADLINE_SECONDS = 60.0


class Unanswered(Exception):
    """A source did not answer for a piece of the past; what was stored before it stays."""


@dataclass(frozen=True)
class Piece:
    """Boundaries from after `start` up to and including `end`, epoch seconds."""

    start: float
    end: float


def pieces(start: float, end: float) -> list[Piece]:
    """The span in pieces of at most PIECE_SECONDS, oldest first, on five-minute boundaries."""
    first, last = samples.boundary(start), samples.boundary(end)
    found = []
    while first < last:
        until = min(first + PIECE_SECONDS, last)
        found.append(Piece(first, until))
        first = until
    return found


def fill(
    source: Source,
    indicators: Mapping[UUID, Indicator],
    start: float,
    end: float,
    step: Callable[[int], object] = lambda stored: None,
) -> int:
    """Store the rows of the span that are not there yet; how many were new.

    Piece by piece, each in a transaction of its own, so that it can be broken off and taken up
    again. A piece whose rows are all there is not asked. `step` is called after each piece with
    the rows that it stored. Raises Unanswered.
    """
    stored = 0
    for piece in pieces(start, end):
        lacking = {key: indicators[key] for key in _lacking(list(indicators), piece)}
        new = samples.store(rows(source, lacking, piece)) if lacking else 0
        stored += new
        step(new)
    return stored


def rows(source: Source, indicators: Mapping[UUID, Indicator], piece: Piece) -> list[Row]:
    """The five-minute rows of a piece; raises Unanswered."""
    scrape = asking.scrape_seconds(source)
    made = piece_plan(indicators, STEP, scrape)
    client, deadline = asking.client_of(source), Deadline(DEADLINE_SECONDS)
    by_time: dict[float, dict[Ask, dict[str, float]]] = {}
    for ask in made.asks:
        try:
            answer = client.query_range(ask.query, piece.start + STEP, piece.end, STEP, deadline)
        except BackendError as error:
            raise Unanswered(error.detail) from error
        for vector in answer.series:
            name = vector.labels.get(ask.label, "") if ask.label else ""
            for at, value in zip(vector.times.tolist(), vector.values.tolist(), strict=True):
                by_time.setdefault(at, {}).setdefault(ask, {})[name] = value
    return list(_rows(made, by_time, scrape))


def _rows(
    made: Plan, by_time: Mapping[float, Mapping[Ask, Mapping[str, float]]], scrape: float
) -> Iterator[Row]:
    for at, answers in sorted(by_time.items()):
        for key in made.parts:
            events = made.events(key, answers, scrape)
            if events.present > 0:
                yield Row(key, at, events)


def _lacking(slos: Sequence[UUID], piece: Piece) -> list[UUID]:
    """Those that do not have every row of the piece."""
    wanted = round((piece.end - piece.start) / STEP)
    there = dict(
        SLOSample.objects.filter(
            slo__in=slos,
            seconds=int(STEP),
            at__gt=samples.when(piece.start),
            at__lte=samples.when(piece.end),
        )
        .values_list("slo")
        .annotate(Count("id"))
    )
    return [slo for slo in slos if there.get(slo, 0) < wanted]
