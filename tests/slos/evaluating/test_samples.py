from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slos.burn import HOUR, Events, added
from slos.evaluating import samples
from slos.evaluating.samples import STEP, Row
from slos.models import SLO, SLOSample

Make = Callable[..., SLO]
START = 1_800_000_000.0  # a whole hour


def rows_of(slo: SLO, counts: list[tuple[int, int]]) -> list[Row]:
    return [
        Row(slo.pk, START + STEP * (n + 1), Events(min(a, b), max(a, b)))
        for n, (a, b) in enumerate(counts)
    ]


def test_hours_sum_their_five_minutes(make_slo: Make) -> None:
    slo = make_slo()

    samples.store(rows_of(slo, [(9, 10)] * 12))

    hour = SLOSample.objects.get(seconds=HOUR)
    assert (hour.good, hour.total, hour.at) == (108, 120, samples.when(START + HOUR))
    assert hour.present == pytest.approx(1)


def test_late_row_is_added_to_its_hour(make_slo: Make) -> None:
    slo = make_slo()
    rows = rows_of(slo, [(9, 10)] * 12)
    samples.store(rows[:5] + rows[6:])

    samples.store([rows[5]])

    assert SLOSample.objects.get(seconds=HOUR).total == 120


def test_inconsistent_row_shows_in_every_sum(make_slo: Make) -> None:
    slo = make_slo()

    samples.store([Row(slo.pk, START + STEP, Events(12, 10)), *rows_of(slo, [(1, 50)] * 20)[1:]])

    whole = samples.sums({(START, START + 2 * HOUR): [slo.pk]})[slo.pk, 2 * HOUR]
    assert whole.quality == "inconsistent"


def test_gap_lowers_what_is_present(make_slo: Make) -> None:
    slo = make_slo()

    samples.store(rows_of(slo, [(9, 10)] * 6))

    whole = samples.sums({(START, START + 4 * HOUR): [slo.pk]})[slo.pk, 4 * HOUR]
    assert whole.present == pytest.approx(1 / 8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    counts=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=40),
    start=st.integers(0, 20),
    length=st.integers(1, 40),
)
def test_sum_of_any_window_is_that_of_its_rows(
    make_slo: Make, counts: list[tuple[int, int]], start: int, length: int
) -> None:
    slo = SLO.objects.first() or make_slo()
    SLOSample.objects.all().delete()
    rows = rows_of(slo, counts)
    samples.store(rows)
    begins, ends = START + start * STEP, START + (start + length) * STEP

    found = samples.sums({(begins, ends): [slo.pk]})[slo.pk, ends - begins]

    expected = added((row.events, STEP) for row in rows if begins < row.at <= ends)
    assert (found.good, found.total) == (expected.good, expected.total)


def test_sums_take_two_queries_a_window_however_many_slos(
    make_slo: Make, django_assert_num_queries: Callable[..., object]
) -> None:
    slos = [make_slo(), make_slo("checkout"), make_slo("frontend")]
    samples.store([row for slo in slos for row in rows_of(slo, [(9, 10)] * 24)])

    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        samples.sums({(START, START + 2 * HOUR): [slo.pk for slo in slos]})
