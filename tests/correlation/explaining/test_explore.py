from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from correlation.explaining.explore import TimeRange, explore_url, graph_url, public_address

OVER = TimeRange(1_772_366_400.5, 1_772_370_900.0, 15.0)
QUERY = 'sum by (service) (rate(http_requests_total{status=~"5.."}[1m])) + 1'


def pane(url: str) -> dict[str, Any]:
    """The only pane of an Explore address."""
    panes = json.loads(parse_qs(urlsplit(url).query)["panes"][0])
    (only,) = panes.values()
    return dict(only)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (
            "prometheus",
            {"expr": QUERY, "range": True, "instant": False, "interval": "15s"}
            | {"editorMode": "code"},
        ),
        ("loki", {"expr": QUERY, "queryType": "range", "editorMode": "code"}),
        (
            "tempo",
            {"query": QUERY, "queryType": "traceql", "limit": 20, "tableType": "traces"},
        ),
    ],
)
def test_explore_opens_the_query_of_each_kind_over_its_range(
    kind: str, asked: dict[str, Any]
) -> None:
    url = explore_url("https://grafana.example.com/sub", kind, "uid-1", QUERY, OVER)

    parameters = parse_qs(urlsplit(url).query)
    assert url.startswith("https://grafana.example.com/sub/explore?schemaVersion=1&panes=")
    assert (parameters["schemaVersion"], parameters["orgId"]) == (["1"], ["1"])
    assert pane(url) == {
        "datasource": "uid-1",
        "queries": [{"refId": "A", "datasource": {"type": kind, "uid": "uid-1"}, **asked}],
        "range": {"from": "1772366400500", "to": "1772370900000"},
    }


def test_explore_without_a_uid_names_no_data_source() -> None:
    opened = pane(explore_url("https://grafana.example.com", "loki", "", "{app=~`a`}", OVER))

    assert sorted(opened) == ["queries", "range"]
    assert sorted(opened["queries"][0]) == ["editorMode", "expr", "queryType", "refId"]


def test_graph_shows_the_range_that_was_asked() -> None:
    url = graph_url("http://prometheus.example.com/prom", QUERY, OVER)

    assert url.startswith("http://prometheus.example.com/prom/graph?")
    assert parse_qs(urlsplit(url).query) == {
        "g0.expr": [QUERY],
        "g0.tab": ["0"],
        "g0.range_input": ["4500s"],
        "g0.end_input": ["2026-03-01 13:15:00"],
        "g0.step_input": ["15"],
    }


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://me:secret@metrics.example.com:9090/p/", "https://metrics.example.com:9090/p"),
        ("http://metrics.example.com?token=secret#x", "http://metrics.example.com"),
        ("http://[::1]:9090", "http://[::1]:9090"),
        ("javascript:alert(1)", ""),
        ("ftp://metrics.example.com", ""),
        ("http://", ""),
        ("http://[oops", ""),
        ("", ""),
    ],
    ids=["userinfo", "query", "ipv6", "script", "ftp", "hostless", "malformed", "empty"],
)
def test_public_address_keeps_nothing_secret_and_only_web_addresses(url: str, public: str) -> None:
    assert public_address(url) == public
