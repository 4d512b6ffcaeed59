"""Worked examples: what was scraped, the computation by hand, and its answer.

Each counter is scraped once a minute. A row of the table writes five minutes between bars; before
the first bar stands the scrape that they begin with, `-` is a scrape that failed. The events of
the whole span are what our queries of each five minutes make of it, added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.promql import instant
from lab.tsdb import Tsdb
from slos.burn import Events, Quality, added, budget_remaining, burn_rate, workbook_policies
from slos.definition import Ratio
from slos.evaluating.questions import piece_plan
from slos.periods import Period

KEY = UUID(int=1)
START, SCRAPE, PIECE = 1_800_000_000.0, 60.0, 300.0
RATIO = Ratio(total='requests_total{service="a"}', bad='failures_total{service="a"}')


@dataclass(frozen=True)
class Example:
    """`sli` and the rest are None where nothing may be said."""

    name: str
    target: float
    total: str
    bad: str
    by_hand: str
    good: float
    events: float
    quality: Quality
    sli: float | None
    burn: float | None
    remaining: float | None


TABLE = (
    Example(
        "zero traffic", 0.999,
        total="500 | 500 500 500 500 500",
        bad="  500 | 500 500 500 500 500",
        by_hand="0 of 0: no ratio; nothing spent, the whole budget is left",
        good=0, events=0, quality=Quality.NO_TRAFFIC, sli=None, burn=None, remaining=1.0,
    ),
    Example(
        "one request, good", 0.999,
        total="500 | 500 500 501 501 501",
        bad="   20 |  20  20  20  20  20",
        by_hand="1 of 1; burn 0 / .001; remaining 1 - 0",
        good=1, events=1, quality=Quality.OK, sli=1.0, burn=0.0, remaining=1.0,
    ),
    Example(
        "one request, bad", 0.999,
        total="500 | 500 500 501 501 501",
        bad="   20 |  20  20  21  21  21",
        by_hand="0 of 1; burn 1 / .001; remaining 1 - 1000",
        good=0, events=1, quality=Quality.OK, sli=0.0, burn=1000.0, remaining=-999.0,
    ),
    Example(
        "a failure between two rows", 0.99,
        total="100 | 120 140 160 180 200 | 220 240 260 280 300",
        bad="    0 |   0   0   0   0   0 |   1   1   1   1   1",
        by_hand="the first scrape of the second row tells it: 199 of 200; burn .005 / .01",
        good=199, events=200, quality=Quality.OK, sli=0.995, burn=0.5, remaining=0.5,
    ),
    Example(
        "rows weigh by events", 0.9,
        total="100 | 298 496 694 892 1090 | 1092 1094 1096 1098 1100",
        bad="  100 | 100 100 100 100  100 |  101  102  103  104  105",
        by_hand="990 of 990 and 5 of 10: 995 of 1000, not (1 + .5) / 2; burn .005 / .1",
        good=995, events=1000, quality=Quality.OK, sli=0.995, burn=0.05, remaining=0.95,
    ),
    Example(
        "counter reset", 0.9,
        total="500 | 520 540 560 580 600 | 620 640 660 680 700 |  20  40  60  80 100",
        bad="   50 |  52  54  56  58  60 |  62  64  66  68  70 |   2   4   6   8  10",
        by_hand="restarted after 700: 100 + 100, and increase[5m] of the row with the reset: 80 in "
        "the 4 minutes between its scrapes, from 20 on, the minute before them the same: 100; "
        "270 of 300, never 700 fewer",
        good=270, events=300, quality=Quality.OK, sli=0.9, burn=1.0, remaining=0.0,
    ),
    Example(
        "gap", 0.99,
        total="100 | 200 300 400 500 600 | - - - - - | - - - - 1600 | 1700 1800 1900 2000 2100",
        bad="   10 |  10  10  10  10  10 | - - - - - | - - - -   60 |   62   64   66   68   70",
        by_hand="500 of 500; the counters went on and tell 950 of 1000 for the gap; 490 of 500: "
        "1940 of 2000, burn .03 / .01; partial, for scrapes are missing",
        good=1940, events=2000, quality=Quality.PARTIAL, sli=0.97, burn=3.0, remaining=-2.0,
    ),
    Example(
        "gap with a reset in it", 0.99,
        total="100 | 200 300 400 500 600 | - - - - - | - - - - 400 | 500 600 700 800 900",
        bad="   10 |  10  10  10  10  10 | - - - - - | - - - -  10 |  11  12  13  14  15",
        by_hand="500 of 500 and 495 of 500; what came in the gap nobody can tell: 995 of 1000",
        good=995, events=1000, quality=Quality.PARTIAL, sli=0.995, burn=0.5, remaining=0.5,
    ),
    Example(
        "no scrape at all", 0.99,
        total="- | - - - - -",
        bad="  - | - - - - -",
        by_hand="nothing is known, which is neither 0 nor 100 %",
        good=0, events=0, quality=Quality.NO_DATA, sli=None, burn=None, remaining=None,
    ),
    Example(
        "no series of failures yet", 0.999,
        total="100 | 120 140 160 180 200",
        bad="    - | - - - - -",
        by_hand="nobody ever counted a failure: 100 of 100",
        good=100, events=100, quality=Quality.OK, sli=1.0, burn=0.0, remaining=1.0,
    ),
    Example(
        "negative budget", 0.999,
        total="1000 | 3000 5000 7000 9000 11000",
        bad="    10 |   12   14   16   18    35",
        by_hand="25 bad of 10,000 where 10 may be: .0025 / .001; remaining 1 - 2.5",
        good=9975, events=10_000, quality=Quality.OK, sli=0.9975, burn=2.5, remaining=-1.5,
    ),
    Example(
        "target 99.999", 0.99999,
        total="200000 | 220000 240000 260000 280000 300000",
        bad="      50 |     50     50     50     50     51",
        by_hand="1 bad of 100,000 where 1 may be: .00001 / .00001; nothing is left",
        good=99_999, events=100_000, quality=Quality.OK, sli=0.99999, burn=1.0, remaining=0.0,
    ),
    Example(
        "good > total", 0.999,
        total="500 | 500 500 500 500 510",
        bad="  500 | 500 500 500 500 511",
        by_hand="11 bad of 10: -1 good, the counts contradict each other: no number",
        good=math.nan, events=10, quality=Quality.INCONSISTENT, sli=None, burn=None, remaining=None,
    ),
)  # fmt: skip


def written(tsdb: Tsdb, metric: str, scrapes: str) -> int:
    """Append what the table writes; how many five minutes it spans."""
    for number, value in enumerate(scrapes.replace("|", " ").split()):
        if value != "-":
            tsdb.append(metric, {"service": "a"}, START + number * SCRAPE, float(value))
    return scrapes.count("|")


def counted(total: str, bad: str) -> list[Events]:
    """The events of each five minutes, by our queries."""
    tsdb = Tsdb(retention_seconds=86400)
    spans = {written(tsdb, "requests_total", total), written(tsdb, "failures_total", bad)}
    plan = piece_plan({KEY: RATIO}, PIECE, SCRAPE)
    rows = []
    for number in range(1, spans.pop() + 1):
        at = START + number * PIECE
        answers = {
            ask: {labels[ask.label]: value for labels, value in instant(tsdb, ask.query, at)}
            for ask in plan.asks
        }
        rows.append(plan.events(KEY, answers, SCRAPE))
    assert not spans, "both lines of an example span the same time"
    return rows


@pytest.mark.parametrize("example", TABLE, ids=lambda example: example.name)
def test_example_comes_out_as_by_hand(example: Example) -> None:
    whole = added((events, PIECE) for events in counted(example.total, example.bad))

    assert whole.good == pytest.approx(example.good, rel=1e-12, nan_ok=True)
    assert whole.total == pytest.approx(example.events, rel=1e-12)
    assert whole.quality is example.quality
    for answer, hand in (
        (whole.sli, example.sli),
        (burn_rate(whole, example.target), example.burn),
        (budget_remaining(whole, example.target), example.remaining),
    ):
        assert answer == (None if hand is None else pytest.approx(hand, abs=1e-8))


@pytest.mark.parametrize(
    ("month", "by_hand", "hours", "page_factor"),
    [
        # no change: 31 x 24 h; 2 % of them in an hour
        ("2026-01-15T12:00:00+01:00", "31 x 24", 744, 14.88),
        # clocks forward on 29 March: an hour is missing
        ("2026-03-15T12:00:00+01:00", "31 x 24 - 1", 743, 14.86),
        # clocks back on 25 October: an hour comes twice
        ("2026-10-15T12:00:00+02:00", "31 x 24 + 1", 745, 14.9),
        ("2026-02-15T12:00:00+01:00", "28 x 24", 672, 13.44),
    ],
)
def test_calendar_month_across_a_clock_change(
    month: str, by_hand: str, hours: int, page_factor: float
) -> None:
    period = Period.parse("1M", rolling=False, time_zone="Europe/Berlin")

    seconds = period.seconds(datetime.fromisoformat(month).timestamp())

    assert seconds == hours * 3600, by_hand
    assert workbook_policies(seconds)[0].factor == pytest.approx(page_factor)


@pytest.mark.parametrize(
    ("at", "start", "good", "total"),
    [
        # 31 March 23:30 in Berlin is 21:30 UTC: March, which began on 28 February at 23:00 UTC
        ("2026-03-31T21:30:00+00:00", "2026-02-28T23:00:00+00:00", 290, 300),
        # 1 April 00:30 in Berlin is 22:30 UTC: the hour after 22:00 UTC alone counts
        ("2026-03-31T22:30:00+00:00", "2026-03-31T22:00:00+00:00", 99, 100),
    ],
)
def test_month_of_a_zone_counts_from_its_own_midnight(
    at: str, start: str, good: int, total: int
) -> None:
    period = Period.parse("1M", rolling=False, time_zone="Europe/Berlin")
    rows = {
        "2026-02-28T22:55:00+00:00": Events(0, 1000),  # the last of February in Berlin
        "2026-02-28T23:05:00+00:00": Events(95, 100),
        "2026-03-29T01:05:00+00:00": Events(96, 100),  # 03:05, five minutes after the change
        "2026-03-31T21:00:00+00:00": Events(99, 100),
        "2026-03-31T22:25:00+00:00": Events(99, 100),  # the first of April
    }

    since, _ = period.bounds(datetime.fromisoformat(at).timestamp())
    until = datetime.fromisoformat(at).timestamp()
    times = {datetime.fromisoformat(text).timestamp(): events for text, events in rows.items()}
    whole = added((events, PIECE) for end, events in times.items() if since < end <= until)

    assert since == datetime.fromisoformat(start).timestamp()
    assert (whole.good, whole.total) == (good, total)


increments = st.lists(st.integers(0, 50), min_size=5, max_size=40).map(
    lambda steps: steps[: len(steps) // 5 * 5]
)


def as_scrapes(start: int, steps: list[int]) -> str:
    values, text = start, [str(start)]
    for number, step in enumerate(steps):
        values += step
        text.append(f"| {values}" if number % 5 == 0 else str(values))
    return " ".join(text)


@given(steps=increments, share=st.integers(0, 100))
def test_rows_of_a_regular_counter_add_up_to_all_it_counted(steps: list[int], share: int) -> None:
    failures = [step * share // 100 for step in steps]

    whole = added((e, PIECE) for e in counted(as_scrapes(7, steps), as_scrapes(0, failures)))

    assert (whole.total, whole.bad) == (sum(steps), sum(failures))
    assert whole.present == 1.0


@given(
    good=st.floats(-10, 1e9),
    total=st.floats(-10, 1e9),
    present=st.floats(0, 1),
    target=st.floats(0.5, 0.99999),
)
def test_whatever_was_counted_numbers_stay_within_their_bounds(
    good: float, total: float, present: float, target: float
) -> None:
    events = Events(good, total, present)

    sli, burn, left = events.sli, burn_rate(events, target), budget_remaining(events, target)

    assert (sli is None) == (events.quality not in (Quality.OK, Quality.PARTIAL))
    if sli is not None and burn is not None and left is not None:
        assert 0.0 <= sli <= 1.0
        assert 0.0 <= burn <= 1 / (1 - target) * (1 + 1e-9)
        assert 1 - 1 / (1 - target) * (1 + 1e-9) <= left <= 1.0
        assert math.isclose(burn, 1 - left, rel_tol=1e-9, abs_tol=1e-9)


@given(
    total=st.integers(1, 10**6), bad=st.integers(0, 10**6), low=st.floats(0.5, 0.99),
    more=st.floats(0.0001, 0.009),
)  # fmt: skip
def test_a_stricter_target_never_burns_slower(
    total: int, bad: int, low: float, more: float
) -> None:
    events = Events(total - min(bad, total), total)

    loose, strict = burn_rate(events, low), burn_rate(events, low + more)

    assert loose is not None
    assert strict is not None
    assert strict >= loose
