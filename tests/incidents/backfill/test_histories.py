from __future__ import annotations

from datetime import UTC, datetime

from incidents.backfill.histories import Firing, Runs, distinct


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def make_firing(start: float, end: float | None, **labels: str) -> Firing:
    ends_at = None if end is None else at(end)
    return Firing({"alertname": "A", **labels}, at(start), ends_at, {})


def test_runs_end_one_step_after_the_last_sample_and_break_at_a_gap() -> None:
    runs = Runs(60.0, {})

    runs.feed({"__name__": "ALERTS", "alertstate": "firing", "alertname": "A"}, [0, 60, 180])

    assert [(f.starts_at, f.ends_at) for f in runs.firings(1000)] == [
        (at(0), at(120)),
        (at(180), at(240)),
    ]
    assert runs.firings(1000)[0].labels == {"alertname": "A"}


def test_runs_go_on_from_one_piece_to_the_next() -> None:
    runs = Runs(60.0, {"cluster": "eu"})

    runs.feed({"alertname": "A"}, [0, 60])
    runs.feed({"alertname": "A"}, [120])

    assert [(f.starts_at, f.ends_at) for f in runs.firings(1000)] == [(at(0), at(180))]
    assert runs.firings(1000)[0].labels == {"alertname": "A", "cluster": "eu"}


def test_runs_have_no_end_where_the_history_stops_first() -> None:
    runs = Runs(60.0, {})

    runs.feed({"alertname": "A"}, [0, 60])

    assert [f.ends_at for f in runs.firings(119)] == [None]
    assert [f.ends_at for f in runs.firings(120)] == [at(120)]


def test_distinct_makes_one_firing_of_an_ha_pairs_two() -> None:
    pair = [make_firing(0, 100, replica="a"), make_firing(10, 120, replica="b")]

    found = distinct([*pair, make_firing(200, None, replica="b")], ["replica"])

    assert [(f.starts_at, f.ends_at) for _series, f in found] == [
        (at(0), at(120)),
        (at(200), None),
    ]
    assert len({series for series, _firing in found}) == 1
