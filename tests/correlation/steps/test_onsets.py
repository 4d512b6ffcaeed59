"""Which moments are tried as the onset."""

from __future__ import annotations

import numpy as np

from correlation.steps.onsets import UNANCHORED, likely_onsets
from correlation.telemetry import Floats, Telemetry

START = 10_000.0


def make_telemetry() -> Telemetry:
    return Telemetry(
        target=None,
        started_at=START,
        as_of=START + 300.0,
        baseline=(START - 600.0, START - 180.0),
        window=(START - 180.0, START + 300.0),
    )


def every_second(begin: float, end: float) -> Floats:
    return np.arange(START + begin, START + end)


def test_onsets_are_likeliest_a_little_before_the_start() -> None:
    found = likely_onsets(make_telemetry(), every_second(-600.0, 300.0))

    assert [moment.onset - START for moment in found] == [
        -150.0, -120.0, -90.0, -60.0, -30.0, 0.0, 30.0, 60.0,
    ]  # fmt: skip
    assert max(found, key=lambda moment: moment.weight).onset == START - 30.0


def test_onsets_before_the_recording_are_one_moment_compared_with_another_time() -> None:
    starts = np.concatenate((every_second(-4_000.0, -3_900.0), every_second(-50.0, 300.0)))

    found = likely_onsets(make_telemetry(), starts)

    assert [moment.onset - START for moment in found] == [-60.0, -30.0, 0.0, 30.0, 60.0]
    assert found[0].weight < UNANCHORED < found[1].weight


def test_onset_is_the_start_without_anything_before() -> None:
    found = likely_onsets(make_telemetry(), every_second(100.0, 105.0))

    assert [(moment.onset, moment.weight) for moment in found] == [(START, 1.0)]
