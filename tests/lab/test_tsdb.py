from __future__ import annotations

import math
import threading

import pytest

from lab.matchers import Matcher, RegexUnsupportedError
from lab.tsdb import STALE, OutOfOrderError, Tsdb, is_stale

NAMED = [Matcher("__name__", "=", "m")]


def test_select_answers_samples_of_the_closed_interval() -> None:
    tsdb = Tsdb()
    for at in (10, 20.0004, 30, 40):
        tsdb.append("m", {"pod": "a", "empty": ""}, at, at * 2)

    [(labels, times, values)] = tsdb.select(NAMED, 20, 30)

    assert labels == {"__name__": "m", "pod": "a"}
    assert (times.tolist(), values.tolist()) == ([20.0, 30.0], [40.0008, 60.0])


@pytest.mark.parametrize(
    ("op", "value", "pods"),
    [
        ("=", "a-1", ["a-1"]),
        ("!=", "a-1", ["a-2", "b-1"]),
        ("=~", "a-.*", ["a-1", "a-2"]),
        ("=~", "a", []),
        ("!~", "a-.*|", ["b-1"]),
        ("=", "", []),
    ],
)
def test_matchers_select_by_label(op: str, value: str, pods: list[str]) -> None:
    tsdb = Tsdb()
    for pod in ("a-1", "a-2", "b-1"):
        tsdb.append("m", {"pod": pod}, 1, 0)

    found = tsdb.series([*NAMED, Matcher("pod", op, value)])

    assert [labels["pod"] for labels in found] == pods


@pytest.mark.parametrize("pattern", ["[[:alpha:]]+", r"\pL", r"(?=x)", r"a++", r"(a)\1"])
def test_regex_that_python_reads_otherwise_is_refused(pattern: str) -> None:
    with pytest.raises(RegexUnsupportedError):
        Matcher("pod", "=~", pattern)


def test_old_sample_is_refused_and_a_repeated_one_ignored() -> None:
    tsdb = Tsdb()
    tsdb.append("m", {}, 10, 1)
    tsdb.append("m", {}, 10, 1)

    with pytest.raises(OutOfOrderError):
        tsdb.append("m", {}, 10, 2)
    with pytest.raises(OutOfOrderError):
        tsdb.append("m", {}, 9, 1)

    assert tsdb.select(NAMED, 0, 20)[0][2].tolist() == [1.0]


def test_staleness_marker_is_not_an_ordinary_nan() -> None:
    tsdb = Tsdb()
    tsdb.append("m", {}, 1, math.nan)
    tsdb.mark_stale("m", {}, 2)

    [(_, _, values)] = tsdb.select(NAMED, 0, 5)

    assert is_stale(values).tolist() == [False, True]
    assert math.isnan(STALE)


def test_retention_prunes_samples_and_series() -> None:
    tsdb = Tsdb(retention_seconds=100)
    write = tsdb.writer("m", {"pod": "kept"})
    tsdb.append("gone", {}, 0, 1)
    for at in range(0, 301, 10):
        write(at, at)

    [(_, times, _)] = tsdb.select(NAMED, 0, 1000)

    # pruned each minute: at 300 s the newest was 300
    assert (times[0], times[-1]) == (200.0, 300.0)
    assert tsdb.label_values("__name__") == ["m"]
    assert len(tsdb) == 1


def test_listings_are_sorted_and_respect_the_time_range() -> None:
    tsdb = Tsdb()
    tsdb.append("m", {"b": "2"}, 10, 0)
    tsdb.append("m", {"a": "1"}, 20, 0)

    assert tsdb.label_names() == ["__name__", "a", "b"]
    assert tsdb.label_names(start=15) == ["__name__", "a"]
    assert tsdb.series(end=15) == [{"__name__": "m", "b": "2"}]


def test_appending_while_selecting_loses_nothing() -> None:
    tsdb = Tsdb()

    def write(pod: str) -> None:
        for at in range(2000):
            tsdb.append("m", {"pod": pod}, at, at)

    threads = [threading.Thread(target=write, args=(pod,)) for pod in "abc"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for _, times, values in tsdb.select(NAMED, 0, 3000):
            assert times.tolist() == values.tolist()
    for thread in threads:
        thread.join()

    assert [len(times) for _, times, _ in tsdb.select(NAMED, 0, 3000)] == [2000] * 3
