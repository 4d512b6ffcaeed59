from __future__ import annotations

from typing import Any

import pytest

from correlation.data_sources.options import check_options

GOOD: list[tuple[str, dict[str, Any]]] = [
    (
        "prometheus",
        {
            "profile": ["istio", "kube_state"],
            "filter": 'cluster="eu",namespace=~"shop|pay",',
            "queries": {"cpu": {"query": "x{$filter}", "service_label": "app", "unit": "cores"}},
            "scrape_interval_seconds": 30,
            "concurrency": 4,
        },
    ),
    ("prometheus", {"profile": "", "filter": ""}),
    ("loki", {"selector": '{app=~"$services"}', "limit": 500, "service_labels": ["app"]}),
    ("kubernetes", {"namespaces": ["prod"]}),
    ("tempo", {"step_seconds": 30, "max_bytes": 1e6}),
]
WRONG: list[tuple[str, Any, str, str]] = [
    ("prometheus", [], "options", "must be an object"),
    ("prometheus", {"profil": "x"}, "profil", "is no option of Prometheus; there are: concurrency"),
    ("prometheus", {"profile": ["x"]}, "profile", "no query profile is called 'x'"),
    ("prometheus", {"profile": 1}, "profile", "must be a name or a list of names"),
    ("prometheus", {"filter": "cluster=eu"}, "filter", "does not parse"),
    ("prometheus", {"filter": 'a="b"} or y{c="d"'}, "filter", "must be label matchers"),
    ("prometheus", {"filter": 3}, "filter", "must be text"),
    ("prometheus", {"step_seconds": 0}, "step_seconds", "must be a positive number"),
    ("prometheus", {"step_seconds": True}, "step_seconds", "must be a positive number"),
    ("prometheus", {"queries": []}, "queries", "must be an object"),
    ("prometheus", {"queries": {"cpu": "x"}}, "queries.cpu", "give an object with query"),
    (
        "prometheus",
        {"queries": {"latency_p95": {"query": "x", "unit": "ms"}}},
        "queries.latency_p95.unit",
        "must be s: convert it in the query",
    ),
    ("prometheus", {"queries": {"cpu": {"query": "x", "a": 1}}}, "queries.cpu.a", "is not known"),
    ("loki", {"selector": "app"}, "selector", "must be a stream selector in braces"),
    ("loki", {"service_labels": "app"}, "service_labels", "must be a list of texts"),
    ("kubernetes", {"namespaces": [""]}, "namespaces", "must be a list of texts"),
]


@pytest.mark.parametrize(("kind", "options"), GOOD)
def test_options_that_can_be_used_have_no_problem(kind: str, options: dict[str, Any]) -> None:
    assert check_options(kind, options) == {}


@pytest.mark.parametrize(
    ("kind", "options", "path", "said"), WRONG, ids=[f"{p} {s[:20]}" for _, _, p, s in WRONG]
)
def test_options_that_cannot_be_used_are_refused_by_path(
    kind: str, options: Any, path: str, said: str
) -> None:
    found = check_options(kind, options)

    assert list(found) == [path]
    assert said in found[path]
