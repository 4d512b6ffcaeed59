"""Ask the sources what many SLOs counted, and say which of them did not answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from correlation.backends.prometheus import PrometheusClient
from correlation.sources import Source, http_arguments
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from slos.burn import Events
from slos.definition import Indicator
from slos.evaluating import recorded
from slos.evaluating.questions import Ask, Plan, piece_plan, plan

AT_ONCE = 6
DEADLINE_SECONDS = 20.0
SCRAPE_SECONDS = 15.0
MAX_POINTS = 10_000  # a Prometheus refuses 11,000 points a series


@dataclass(frozen=True)
class Counted:
    """Events by SLO and window seconds, why an SLO has none, and how many queries were sent.

    `pieces` are the events of the piece of a longer span that ends now.
    """

    events: Mapping[UUID, Mapping[float, Events]]
    pieces: Mapping[UUID, Events]
    errors: Mapping[UUID, str]
    queries: int


@dataclass
class Asked:
    """Answers by query; `errors` of those that got none."""

    answers: dict[Ask, dict[str, float]] = field(default_factory=dict)
    errors: dict[Ask, BackendError] = field(default_factory=dict)


def count(
    source: Source,
    indicators: Mapping[UUID, Indicator],
    windows: Sequence[float],
    at: float,
    piece_seconds: float,
    deadline: Deadline | None = None,
) -> Counted:
    """The events of these windows and of the piece that end at `at` (epoch seconds), in a bounded
    number of queries: at most three for each distinct shape and window, and one that asks for
    records of our rules. Where there are, windows from half an hour on are read from those.

    An SLO one of whose queries failed is in `errors` and has no events at all: half an answer
    would look like a recovery.
    """
    if source.closed_because:
        return Counted({}, {}, dict.fromkeys(indicators, source.closed_because), 0)
    deadline = deadline or Deadline(DEADLINE_SECONDS)
    scrape = scrape_seconds(source)
    known, sent = _recorded(source, indicators, windows, at, deadline)
    plans = {
        window: plan(
            {k: i for k, i in indicators.items() if window not in known.get(k, ())}, window, scrape
        )
        for window in windows
    }
    piece = piece_plan(indicators, piece_seconds, scrape)
    every = (*plans.values(), piece)
    asks = list(dict.fromkeys(ask for made in every for ask in made.asks))
    asked = ask(client_of(source), asks, at, deadline)
    errors = {key: why for key in indicators if (why := _failure(key, every, asked))}
    events = {
        key: {
            window: known[key][window]
            if window in known.get(key, ())
            else made.events(key, asked.answers, scrape)
            for window, made in plans.items()
        }
        for key in indicators
        if key not in errors
    }
    pieces = {key: piece.events(key, asked.answers, scrape) for key in events}
    return Counted(events, pieces, errors, sent + len(asks))


def _recorded(
    source: Source,
    indicators: Mapping[UUID, Indicator],
    windows: Sequence[float],
    at: float,
    deadline: Deadline,
) -> tuple[Mapping[UUID, Mapping[float, Events]], int]:
    """Events that the source's own rules have recorded, and how many queries that took.

    One query where it has none. A source that does not answer it has none: what is then asked of
    its counters says why.
    """
    long = [window for window in windows if window >= recorded.LEAST_WINDOW]
    if not long:
        return {}, 0
    every = [recorded.asks_of(window) for window in long]
    probed = ask(client_of(source), [every[0].ratio], at, deadline)
    if not probed.answers.get(every[0].ratio):
        return {}, 1
    asks = [ask for of in every for ask in (of.ratio, of.total, of.minutes)][1:]
    asked = ask(client_of(source), asks, at, deadline)
    found = recorded.found_in(indicators, long, {**probed.answers, **asked.answers})
    return found, 1 + len(asks)


def scrape_seconds(source: Source) -> float:
    return source.number("step_seconds", SCRAPE_SECONDS)


def client_of(source: Source) -> PrometheusClient:
    return PrometheusClient(source.url, **http_arguments(source))


def ask(client: PrometheusClient, asks: Iterable[Ask], at: float, deadline: Deadline) -> Asked:
    """Put every query, several at a time; raises nothing of what the source does."""
    found = Asked()

    def one(query: Ask) -> None:
        try:
            answer = client.query(query.query, at, deadline)
        except BackendError as error:
            found.errors[query] = error
            return
        found.answers[query] = {
            vector.labels.get(query.label, "") if query.label else "": float(vector.values[-1])
            for vector in answer.series
        }

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slo") as pool:
        list(pool.map(one, asks))
    return found


def _failure(key: UUID, plans: Iterable[Plan], asked: Asked) -> str:
    for made in plans:
        parts = made.parts.get(key)
        if parts is None:
            continue
        for part in (parts.part, parts.total, parts.scrapes):
            if part is not None and part.ask in asked.errors:
                return asked.errors[part.ask].detail
    return ""
