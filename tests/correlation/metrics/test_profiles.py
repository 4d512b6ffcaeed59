from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from correlation.metrics import profiles
from correlation.metrics.profiles import ProfileError, load, parse
from correlation.telemetry import SIGNAL_UNITS, SIGNALS

ROW = "{signal: cpu, unit: cores, direction: up, query: 'rate(x[$window])'}"


def make_profile(row: str) -> str:
    return f"queries: [{row}]"


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profile_loads_and_every_query_parses(name: str) -> None:
    profile = load(name)

    for matchers in ("", 'cluster="eu",namespace=~"shop|pay"'):
        queries = profile.queries(30, matchers)
        assert all(promql_parser.parse(row.query) for row in queries)
        assert not [row.signal for row in queries if re.search(r"\$[a-z{]", row.query)]
    assert profile.detect <= {name for row in profile.templates for name in row.metrics}


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profile_puts_the_filter_into_every_selector(name: str) -> None:
    for row in load(name).queries(30, 'cluster="eu"'):
        selectors: list[str] = []

        def visit(node: object, found: list[str] = selectors) -> bool:
            if isinstance(node, promql_parser.VectorSelector):
                found.append(node.prettify())
            return True

        promql_parser.walk(promql_parser.parse(row.query), visit)

        assert all('cluster="eu"' in one for one in selectors), (row.signal, selectors)


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profile_gives_units_and_directions_of_its_signals(name: str) -> None:
    for row in load(name).templates:
        assert (row.unit, row.direction) == SIGNAL_UNITS[row.signal]
        assert (row.peer_label is not None) == row.signal.startswith("client_")


def test_shipped_profiles_cover_every_signal() -> None:
    covered = {row.signal for name in profiles.names() for row in load(name).templates}

    assert covered == set(SIGNALS) - {"error_log_rate"}  # read off log lines


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
    assert rendered["restarts"].endswith(f"[{long_window}]))")


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
        (make_profile(ROW.replace("up", "left")), "mine: cpu: direction must be up"),
        (make_profile(ROW.replace("cores", "ms")), "mine: cpu: unit must be cores: convert it"),
        (make_profile(ROW.replace("rate(", "$sum(")), "mine: cpu: $sum needs service_from"),
        (
            f"service_from: [job]\n{make_profile(ROW.replace('rate(', '$sum(rate('))}",
            "mine: cpu: unbalanced parentheses",
        ),
        (f"service_from: job\n{make_profile(ROW)}", "mine: service_from: must be a list"),
        (f"service_from: [a-b]\n{make_profile(ROW)}", "mine: service_from: ['a-b'] are not"),
        (f"detect: x\n{make_profile(ROW)}", "mine: detect must be a list of metric names"),
        (f"labels: x\n{make_profile(ROW)}", "mine: unknown field labels"),
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
    with pytest.raises(ProfileError, match="there are: http_requests_total, otel_http"):
        load("mine")


def test_shorthand_takes_the_service_from_the_first_label_that_is_there() -> None:
    row = ROW.replace("rate(x[$window])", "$sum(rate(x{$filter}[$window]))")
    text = f"service_from: [app, {{label: job, match: '(?:.*/)?(.+)'}}]\n{make_profile(row)}"

    found = parse(text, "mine").queries(60)[0]

    assert found.service_label == "studio_service"
    assert found.query == (
        "sum by (studio_service) (label_replace(label_replace("
        'sum by (app, job) (rate(x[60s])), "studio_service", "$1", "job", "(?:.*/)?(.+)"), '
        '"studio_service", "$1", "app", "(.+)"))'
    )


def test_abbreviations_of_a_profile_are_written_out() -> None:
    text = "define: {mine: 'x{$filter}'}\n" + make_profile(ROW.replace("x[", "${mine}["))

    assert parse(text, "mine").queries(60, 'a="b"')[0].query == 'rate(x{a="b"}[60s])'


def test_own_profile_is_found_and_takes_the_place_of_a_shipped_one(
    tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "istio.yaml").write_text(make_profile(ROW))
    (tmp_path / "mine.yaml").write_text(make_profile(ROW))

    settings.QUERY_PROFILES_DIR = str(tmp_path)

    assert profiles.names()[:2] == ("mine", "http_requests_total")
    assert [row.signal for row in load("istio").templates] == ["cpu"]
    assert load("mine").detect == {"x"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("payments-7f8b6c4d9e-x2k4q", "payments"),
        ("payment-processing-6c9d8f7b5d-zk5wq", "payment-processing"),
        ("payment-processing-x2k4q", "payment-processing"),
        ("api-v2-7f8b6c4d9e-x2k4q", "api-v2"),
        ("postgres-0", "postgres"),
        ("nginx-proxy", "nginx-proxy"),
        ("lone", "lone"),
    ],
)
def test_kube_state_takes_the_workload_from_the_name_of_a_pod(given: str, expected: str) -> None:
    query = next(row.query for row in load("kube_state").templates if row.signal == "memory")
    pattern = re.findall(r'"\$\$1", "pod", "([^"]*)"', query)[0]

    found = re.fullmatch(pattern, given)

    assert found is not None
    assert found[1] == expected
