"""What the plots of evidence draw and say."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from correlation.plots.drawing import Subject, drawing_of, sparkline
from correlation.plots.image import THEMES, image, style_hash
from correlation.plots.page import page_plot

START = 1_700_000_000.0
RISING = [[START + 15 * n, 0.01 if n < 20 else 0.4] for n in range(40)]
METRIC = Subject(
    type="metric",
    title='checkout: <b>"errors"</b> rose',
    unit="ratio",
    onset_at=START + 300,
    started_at=START + 320,
    details={
        "points": RISING,
        "baseline_low": -0.02,
        "baseline_high": 0.02,
        "onset_uncertainty_seconds": 15.0,
    },
)
LOG = Subject(
    type="log",
    title="checkout: new log pattern",
    unit="1/s",
    onset_at=START + 60,
    started_at=START + 75,
    details={
        "bin_seconds": 15.0,
        "points": [[START + 15 * n, 0.0 if n < 4 else 0.2 * n] for n in range(8)],
    },
)
SLOW = Subject(
    type="trace",
    title="payment: slow",
    signal="trace_slow",
    unit="s",
    started_at=START,
    details={"seconds_before": [0.01, 0.02, 0.03], "seconds_during": [1.0, 2.0, 3.0]},
)
KILLED = Subject(
    type="kubernetes", title="cart: OOMKilled", signal="OOMKilled", onset_at=START,
    started_at=START + 30, end=START + 90,
)  # fmt: skip
DEPLOY = Subject(
    type="change",
    title="checkout: v2",
    signal="deploy",
    onset_at=START,
    started_at=START + 60,
    end=START + 120,
    details={"seconds_before_onset": 20.0},
)
EVERY = [METRIC, LOG, SLOW, KILLED, DEPLOY]


def parts(subject: Subject) -> ET.Element:
    return ET.fromstring(page_plot(drawing_of(subject)))


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in root.iter() if name in one.attrib.get("class", "").split()]


def texts(root: ET.Element) -> list[str | None]:
    return [one.text for one in root.iter() if one.tag.endswith("text")]


@pytest.mark.parametrize("subject", EVERY, ids=lambda subject: subject.type)
def test_a_plot_is_well_formed_named_and_free_of_inline_style(subject: Subject) -> None:
    root = parts(subject)

    assert (root.tag, root.attrib["role"]) == ("svg", "img")
    assert root.findtext("title") == subject.title
    assert (root.findtext("desc") or "").endswith(".")
    assert [one for one in root.iter() if "style" in one.attrib or one.tag == "style"] == []


@pytest.mark.parametrize("subject", EVERY, ids=lambda subject: subject.type)
@pytest.mark.parametrize("theme", THEMES)
def test_an_image_stands_alone(subject: Subject, theme: str) -> None:
    drawing = drawing_of(subject)
    assert drawing is not None

    root = ET.fromstring(image(drawing, theme))

    namespace = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{namespace}svg"
    assert root.findtext(f"{namespace}title") == subject.title
    assert len(root.findall(f"{namespace}style")) == 1
    assert [one for one in root.iter() if "style" in one.attrib] == []
    assert "var(" not in image(drawing, theme)


def test_themes_differ_in_their_style_and_its_hash() -> None:
    assert len({style_hash(theme) for theme in THEMES}) == 3


def test_metric_plot_marks_range_onset_uncertainty_and_incident() -> None:
    root = parts(METRIC)

    counted = {
        name: len(of_class(root, name))
        for name in ("plot-line", "plot-band", "plot-onset", "plot-onset-range", "plot-start")
    }
    assert counted == {
        "plot-line": 1, "plot-band": 1, "plot-onset": 1, "plot-onset-range": 1, "plot-start": 1,
    }  # fmt: skip
    assert texts(root) == [
        "0 %", "20 %", "40 %", "22:15", "22:20", "onset 22:18:20 ± 15 s", "incident 22:18:40",
    ]  # fmt: skip


def test_metric_plot_describes_itself() -> None:
    assert parts(METRIC).findtext("desc") == (
        "Values from 1 % to 40 %, usually 0 % to 2 %. 22:13:20 to 22:23:05 UTC. "
        "Onset 22:18:20, give or take 15 s. Incident start 22:18:40."
    )


def test_missing_samples_are_a_gap_not_a_line() -> None:
    holed = [row for row in RISING if not START + 100 < row[0] < START + 250]
    subject = Subject(type="metric", title="m", unit="ratio", details={"points": holed})

    root = parts(subject)

    assert len(of_class(root, "plot-line")) == 2
    assert len(of_class(root, "plot-gap")) == 1
    assert "no data" in texts(root)


def test_a_series_that_stopped_shows_how_long_it_is_silent() -> None:
    subject = Subject(
        type="metric", title="m", unit="1/s", end=START + 900, details={"points": RISING}
    )

    (gap,) = of_class(parts(subject), "plot-gap")

    assert gap.attrib["x"] == "65%"  # the last sample is 585 s in
    assert gap.attrib["width"] == "35%"


def test_log_plot_counts_lines_by_bucket_before_and_during() -> None:
    root = parts(LOG)

    assert len(of_class(root, "plot-bar")) == 4
    assert "lines in 15 s" in texts(root)
    assert (root.findtext("desc") or "").startswith("Up to 21 lines in 15 s. ")


def test_an_unfinished_bucket_is_as_narrow_as_what_was_counted_of_it() -> None:
    counted = {**LOG.details, "counted_until": START + 110.0}

    bars = of_class(parts(replace(LOG, details=counted)), "plot-bar")

    widths = [float((bar.get("width") or "").rstrip("%")) for bar in bars]
    assert widths[-1] == pytest.approx(widths[0] / 3, abs=0.02)


def test_what_was_counted_only_long_before_is_drawn_all_the_same() -> None:
    points = [[START - 15.0 * n, 1.0 if n == 90 else 0.0] for n in range(100, 0, -1)]
    ended = {"bin_seconds": 15.0, "points": points}

    assert len(of_class(parts(replace(LOG, details=ended)), "plot-bar")) == 1


@pytest.mark.parametrize("type", ["log", "trace"])
def test_axes_without_a_bar_are_no_plot(type: str) -> None:
    nothing = {"bin_seconds": 15.0, "points": [[START + 15 * n, 0.0] for n in range(8)]}

    assert drawing_of(replace(LOG, type=type, details=nothing)) is None


def test_failed_traces_are_counted_like_lines() -> None:
    subject = Subject(type="trace", title="t", signal="trace_errors", details=LOG.details)

    assert "failed traces in 15 s" in texts(parts(subject))


def test_slow_spans_are_two_distributions_with_their_medians() -> None:
    root = parts(SLOW)

    assert (len(of_class(root, "plot-dot")), len(of_class(root, "plot-median"))) == (6, 2)
    assert texts(root) == [
        "1 ms", "10 ms", "100 ms", "1 s", "10 s", "before", "during",
    ]  # fmt: skip
    assert root.findtext("desc") == "before: median 20 ms of 3; during: median 2 s of 3."


def test_an_operation_that_is_new_has_nothing_before() -> None:
    details = {"seconds_before": [], "seconds_during": [1.0, 2.0]}

    root = parts(Subject(type="trace", title="t", details=details))

    assert "no such span" in texts(root)


def test_a_state_is_marked_beside_the_incident() -> None:
    root = parts(KILLED)

    assert len(of_class(root, "plot-event")) == 1
    assert {"OOMKilled", "incident 22:13:50"} <= set(texts(root))


def test_a_change_is_marked_beside_the_onset_of_the_trouble() -> None:
    root = parts(DEPLOY)

    assert {"deploy", "trouble 22:13:40", "incident 22:14:20"} <= set(texts(root))
    event = float(of_class(root, "plot-event")[0].attrib["cx"].rstrip("%"))
    trouble = float(of_class(root, "plot-onset")[0].attrib["x1"].rstrip("%"))
    assert event < trouble


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"points": None},
        {"points": "broken"},
        {"points": [[START, 1.0]]},
        {"points": [[START, 1.0], [START, 2.0]]},
        {"points": [[START, None]] * 3},
        {"points": [START, START]},
    ],
)
@pytest.mark.parametrize("type", ["metric", "log", "trace"])
def test_too_little_draws_nothing(type: str, details: dict[str, Any]) -> None:
    subject = Subject(type=type, title="t", unit="s", details=details)

    assert page_plot(drawing_of(subject)) == ""
    assert sparkline(subject) == ""


def test_a_constant_metric_is_drawn_too() -> None:
    flat = Subject(
        type="metric", title="t", unit="s", details={"points": [[START, 0.0], [START + 15, 0.0]]}
    )

    assert len(of_class(parts(flat), "plot-line")) == 1


def test_sparkline_is_hidden_from_screen_readers() -> None:
    root = ET.fromstring(sparkline(METRIC))

    assert root.attrib["aria-hidden"] == "true"
    assert [len(of_class(root, name)) for name in ("plot-band", "plot-onset", "plot-line")] == [
        1, 1, 1,
    ]  # fmt: skip
