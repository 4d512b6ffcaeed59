"""How many of what was counted a plot gets to draw."""

from __future__ import annotations

from correlation.plots.bucket_counts import Covered, counted_points
from correlation.telemetry import Telemetry

BEGIN = 10_000.0


def make_telemetry(seconds: float) -> Telemetry:
    return Telemetry(
        target=None,
        started_at=BEGIN,
        as_of=BEGIN + seconds,
        baseline=(BEGIN - 3600.0, BEGIN),
        window=(BEGIN, BEGIN + seconds),
    )


def complete(seconds: float, newer: float = BEGIN, older: float = BEGIN - 3600.0) -> Covered:
    return Covered(3600.0, seconds, older, newer)


def test_what_happened_in_the_last_unfinished_bucket_is_counted() -> None:
    times = [BEGIN + 795.0 + n / 10 for n in range(49)]

    counted = counted_points(times, make_telemetry(804.0), complete(804.0))

    assert (counted["bin_seconds"], counted["counted_until"]) == (60.0, BEGIN + 804.0)
    assert counted["points"][-1] == [BEGIN + 780.0, round(49 / 60, 4)]
    assert [rate for _, rate in counted["points"][:-1]] == [0.0] * (len(counted["points"]) - 1)


def test_a_window_of_whole_buckets_gets_none_more() -> None:
    counted = counted_points([BEGIN + 100.0], make_telemetry(100.0), complete(100.0))

    assert counted["points"][-1] == [BEGIN + 95.0, 0.2]


def test_an_answer_cut_within_the_last_bucket_leaves_that_bucket() -> None:
    times = [BEGIN + 795.0 + n / 10 for n in range(49)]

    counted = counted_points(times, make_telemetry(804.0), complete(804.0, newer=BEGIN + 795.0))

    assert [at for at, _ in counted["points"] if at >= BEGIN] == [BEGIN + 780.0]


def test_what_ended_long_before_is_reached_back_to() -> None:
    times = [BEGIN - 1500.0, BEGIN - 1400.0]

    counted = counted_points(times, make_telemetry(30.0), complete(30.0))

    assert sum(rate > 0 for _, rate in counted["points"]) == 1
    assert counted["points"][0][0] <= times[-1]


def test_nothing_is_counted_where_no_answer_reaches() -> None:
    covered = complete(30.0, older=BEGIN - 600.0)

    counted = counted_points([BEGIN - 1500.0], make_telemetry(30.0), covered)

    assert counted["points"][0][0] >= BEGIN - 600.0
