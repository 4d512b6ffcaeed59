from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.stats.figures import Figures, Sample, figures, group, grouped, quantile
from incidents.stats.periods import first_day, following, midnight, periods
from incidents.stats.plot import HEIGHT, plot


def sample(severity: str = "high", **durations: float | None) -> Sample:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    every: dict[str, float | None] = dict.fromkeys(("ttd", "mtta", "ttm", "mttr"))
    return Sample(at, severity, ("checkout",), {**every, **durations})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Figures(0, None, None, None)),
        ([60.0], Figures(1, 60.0, 60.0, 60.0)),
        ([30.0, 10.0], Figures(2, 20.0, 20.0, 28.0)),
        # by hand: (5 - 1) * 0.9 = 3.6, between 40 and 1000: 40 + 0.6 * 960
        ([10.0, 20.0, 30.0, 40.0, 1000.0], Figures(5, 220.0, 30.0, 616.0)),
        # (11 - 1) * 0.9 = 9: the tenth itself
        ([float(n) for n in range(11)], Figures(11, 5.0, 5.0, 9.0)),
    ],
)
def test_figures_are_those_computed_by_hand(values: list[float], expected: Figures) -> None:
    assert figures(values) == expected


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=50), st.sampled_from([0.5, 0.9]))
def test_quantile_is_numpys(values: list[float], share: float) -> None:
    assert quantile(sorted(values), share) == pytest.approx(np.quantile(values, share), abs=1e-6)


def test_group_leaves_out_moments_that_never_came() -> None:
    found = group("all", [sample(mttr=10.0, mtta=None), sample(mttr=30.0, mtta=4.0)])

    assert (found.incidents, found.of["mttr"].n, found.of["mtta"], found.of["ttm"].n) == (
        2,
        2,
        Figures(1, 4.0, 4.0, 4.0),
        0,
    )


def test_grouped_keeps_the_order_in_which_names_come() -> None:
    found = grouped([("b", sample(ttd=1.0)), ("a", sample(ttd=2.0)), ("b", sample(ttd=3.0))])

    assert [(one.name, one.incidents, one.of["ttd"].mean) for one in found] == [
        ("b", 2, 2.0),
        ("a", 1, 2.0),
    ]


@pytest.mark.parametrize(
    ("period", "first", "after"),
    [
        ("day", date(2026, 3, 1), date(2026, 3, 2)),
        ("week", date(2026, 2, 23), date(2026, 3, 2)),
        ("month", date(2026, 3, 1), date(2026, 4, 1)),
    ],
)
def test_period_of_a_sunday(period: str, first: date, after: date) -> None:
    found = first_day(date(2026, 3, 1), period)

    assert (found, following(found, period)) == (first, after)


def test_periods_reach_from_the_first_day_to_the_last() -> None:
    assert periods(date(2025, 12, 15), date(2026, 2, 1), "month") == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert periods(date(2026, 1, 5), date(2026, 1, 12), "week") == [
        date(2026, 1, 5),
        date(2026, 1, 12),
    ]


def test_days_begin_at_midnight_of_their_zone_on_either_side_of_summer_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    found = [midnight(date(2026, 3, day), berlin).astimezone(UTC) for day in (29, 30)]

    assert found == [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)]


def test_plot_of_nothing_is_none() -> None:
    assert plot([(date(2026, 1, 1), Figures(0, None, None, None))]) is None


def test_plot_places_bars_marks_and_round_ticks() -> None:
    found = plot(
        [
            (date(2026, 1, 1), Figures(1, 60.0, 60.0, 60.0)),
            (date(2026, 1, 2), Figures(0, None, None, None)),
            (date(2026, 1, 3), Figures(2, 150.0, 0.0, 240.0)),
        ]
    )

    assert found is not None
    assert [tick.value for tick in found.ticks] == [0.0, 60.0, 120.0, 180.0, 240.0]
    assert [bar.first_day.day for bar in found.bars] == [1, 3]
    one, three = found.bars
    assert one.y + one.height == pytest.approx(HEIGHT)
    assert one.y == one.p90_y
    assert (three.height, three.y) == (1.0, HEIGHT - 1.0)
    assert 0 <= three.p90_y < one.p90_y
    assert three.end < 100
