from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from correlation.evaluation.case_files import Case, read_case
from correlation.evaluation.healthy_windows import before_start, of_baseline

START = 1_700_000_000.0


def make_case(system: Path, name: str, start: float, before_minutes: int) -> Case:
    """A case with metrics per minute, `before_minutes` of them before its start."""
    directory = system / name
    directory.mkdir(parents=True)
    times = start + 60.0 * np.arange(-before_minutes, 6)
    rows = ["time,shop_latency", *(f"{at},0.1" for at in times)]
    (directory / "metrics.csv").write_text("\n".join(rows))
    (directory / "incident.json").write_text(json.dumps({"start": start, "step": 60}))
    return read_case(directory)


def test_before_start_takes_windows_of_the_older_half_only(tmp_path: Path) -> None:
    case = make_case(tmp_path / "one", "a", START, before_minutes=120)

    windows = list(before_start(case))

    assert len(windows) == 4
    assert max(one.as_of for one in windows) == START - 3600.0
    assert [float(one.series[0].times[-1]) <= one.as_of for one in windows] == [True] * 4


def test_before_start_keeps_an_hour_from_other_incidents_of_the_system(tmp_path: Path) -> None:
    make_case(tmp_path / "one", "b", START - 16_000.0, before_minutes=2)
    case = make_case(tmp_path / "one", "a", START, before_minutes=300)

    windows = list(before_start(case))

    assert windows
    assert [one.window[0] > START - 12_400.0 for one in windows] == [True] * len(windows)


def test_before_start_gives_nothing_amid_a_series_of_incidents(tmp_path: Path) -> None:
    make_case(tmp_path / "one", "b", START - 3000.0, before_minutes=2)
    case = make_case(tmp_path / "one", "a", START, before_minutes=120)

    assert list(before_start(case)) == []


def test_before_start_gives_nothing_where_little_was_recorded(tmp_path: Path) -> None:
    case = make_case(tmp_path / "one", "a", START, before_minutes=10)

    assert list(before_start(case)) == []


def test_of_baseline_spreads_windows_over_the_healthy_recording(tmp_path: Path) -> None:
    make_case(tmp_path / "one", "baseline", START, before_minutes=600)
    case = make_case(tmp_path / "one", "a", START, before_minutes=5)
    told = {"start": START, "step": 60, "baseline": "../baseline"}
    (case.directory / "incident.json").write_text(json.dumps(told))

    windows = list(of_baseline(read_case(case.directory)))

    assert len(windows) == 24
    assert len({one.as_of for one in windows}) == 24
    assert [one.started_at < one.as_of for one in windows] == [True] * 24
