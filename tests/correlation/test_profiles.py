from __future__ import annotations

import re

import promql_parser
import pytest

from correlation import profiles
from correlation.profiles import ProfileError, load, parse
from correlation.telemetry import SIGNALS

ROW = "{signal: cpu, unit: cores, direction: up, query: 'rate(x[$window])'}"


def make_profile(row: str) -> str:
    return f"queries: [{row}]"


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profile_loads_and_every_query_parses(name: str) -> None:
    queries = load(name).queries(30)

    assert all(promql_parser.parse(row.query) for row in queries)
    assert not [row.signal for row in queries if "$" in row.query]


def test_default_profile_covers_every_signal_once() -> None:
    signals = [row.signal for row in load().queries(60)]

    assert sorted(signals) == sorted(SIGNALS)


def test_default_profile_groups_every_query_by_service_and_edges_by_peer() -> None:
    for row in load().queries(60):
        grouped = set(re.findall(r"by \(([^)]*)\)", row.query))

        expected = {"service, peer"} if row.signal.startswith("client_") else {"service"}
        assert {group.removesuffix(", le") for group in grouped} == expected, row.signal
        assert row.peer_label == ("peer" if row.signal.startswith("client_") else None)


@pytest.mark.parametrize(
    ("window_seconds", "window", "long_window"),
    [(30, "30s", "60s"), (90, "90s", "90s"), (2.5, "2500ms", "60s")],
)
def test_queries_are_rendered_with_their_windows(
    window_seconds: float, window: str, long_window: str
) -> None:
    rendered = {row.signal: row.query for row in load().queries(window_seconds)}

    assert rendered["request_rate"] == f"sum by (service) (rate(http_requests_total[{window}]))"
    assert rendered["restarts"].endswith(f"restarts_total[{long_window}]))")


def test_labels_of_a_profile_are_its_own() -> None:
    text = f"service_label: app\n{make_profile(ROW)}"

    assert parse(text, "mine").queries(60)[0].service_label == "app"


def test_two_dollars_are_a_literal_one() -> None:
    row = ROW.replace("x[$window]", 'x{path=~"/a$$"}[$window]')

    assert parse(make_profile(row), "mine").queries(60)[0].query == 'rate(x{path=~"/a$"}[60s])'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queries: [", "mine: not YAML"),
        ("a: 1", "mine: a profile is a mapping with a list of queries"),
        ("queries: [1]", "mine: a query is a mapping with signal, unit, direction, query"),
        (make_profile(ROW.replace("unit: cores, ", "")), "mine: cpu: unit is missing or not text"),
        (make_profile(ROW.replace("cpu", "cpus")), "mine: cpus: not a known signal"),
        (make_profile(ROW.replace("up", "left")), "mine: cpu: direction must be one of up, down"),
        (make_profile(ROW.replace("unit", "color: red, unit")), "mine: cpu: unknown field color"),
        (make_profile(ROW.replace("$window", "$rate")), "mine: cpu: unknown placeholder $rate"),
        (make_profile(ROW.replace("$window", "$1")), "mine: cpu: a lone $ in the query"),
        (make_profile(ROW.replace("])", "]")), "mine: cpu: does not parse"),
        (make_profile(f"{ROW}, {ROW}"), "mine: cpu is given twice"),
    ],
)
def test_broken_profile_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(message)):
        parse(text, "mine")


def test_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ProfileError, match="there are: http_requests_total"):
        load("mine")
