from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from correlation.plots import evidence_plot, nice_ticks, runs, sparkline, time_ticks, usable
from correlation.units import humanised

START = 1_700_000_000.0
RISING = [[START + 15 * n, 0.01 if n < 20 else 0.4] for n in range(40)]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.23, "ratio", "23 %"),
        (0.0004, "ratio", "0.04 %"),
        (1.0, "ratio", "100 %"),
        (0.24, "s", "240 ms"),
        (0.00045, "s", "450 µs"),
        (2.5, "s", "2.5 s"),
        (300.0, "s", "5 min"),
        (0.0, "s", "0 ms"),
        (52_428_800.0, "bytes", "50 MiB"),
        (512.0, "bytes", "512 B"),
        (12.42, "1/s", "12.4/s"),
        (1234.5, "1/s", "1,234/s"),
        (0.42, "cores", "0.42 cores"),
        (3.0, "count", "3"),
        (7.0, "widgets", "7 widgets"),
        (None, "ratio", "unknown"),
        (float("nan"), "s", "unknown"),
    ],
)
def test_humanised_says_values_in_the_readers_units(
    value: float | None, unit: str, expected: str
) -> None:
    assert humanised(value, unit) == expected


def test_usable_keeps_finite_samples_in_order() -> None:
    points = [[3.0, 1.0], [1.0, 2.0], [2.0, None], [4.0, float("nan")], [5.0]]

    assert usable(points) == [(1.0, 2.0), (3.0, 1.0)]


def test_runs_break_where_samples_are_missing() -> None:
    samples = [(0.0, 1.0), (15.0, 1.0), (30.0, 1.0), (300.0, 2.0), (315.0, 2.0)]

    assert [len(run) for run in runs(samples)] == [3, 2]


def test_nice_ticks_are_round_and_inside() -> None:
    assert nice_ticks(0.0, 3.8) == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_time_ticks_fall_on_whole_steps() -> None:
    ticks = time_ticks(START, START + 600)

    assert [tick % 300 for tick in ticks] == [0.0] * len(ticks)


def test_evidence_plot_is_well_formed_and_free_of_inline_style() -> None:
    svg = evidence_plot(
        RISING,
        baseline_low=-0.02,
        baseline_high=0.02,
        onset_at=START + 300,
        started_at=START + 320,
        unit="ratio",
        title='checkout <b>"errors"</b>',
    )

    root = ET.fromstring(svg)
    assert (root.tag, root.attrib["class"]) == ("svg", "plot")
    assert [child.tag for child in root].count("polyline") == 1
    assert "checkout <b>" in (root.findtext("title") or "")
    assert not [element for element in root.iter() if "style" in element.attrib]


def test_evidence_plot_labels_values_times_and_the_onset() -> None:
    svg = evidence_plot(RISING, onset_at=START + 300, unit="ratio")

    texts = [element.text for element in ET.fromstring(svg).iter("text")]
    assert texts == ["0 %", "20 %", "40 %", "22:15", "22:20", "onset 22:18:20"]


@pytest.mark.parametrize(
    "points", [[], [[START, 1.0]], [[START, 1.0], [START, 2.0]], [[START, None]] * 3]
)
def test_plots_draw_nothing_from_too_little(points: list[list[float | None]]) -> None:
    assert (evidence_plot(points), sparkline(points)) == ("", "")


def test_sparkline_draws_constants_too() -> None:
    svg = sparkline([[START, 0.0], [START + 15, 0.0]], onset_at=START + 5)

    assert [child.tag for child in ET.fromstring(svg)] == ["line", "polyline"]
