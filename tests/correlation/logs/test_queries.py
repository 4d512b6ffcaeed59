"""What is asked of a Loki, and what its answers become, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from correlation import shared_answers
from correlation.gather import gather
from correlation.logs import labels as log_labels
from correlation.logs.queries import log_queries, uncompared
from correlation.sources import FoundAs, Scope, Source, SourceStatus
from correlation.telemetry import Telemetry
from lab import loki_api
from lab.logstore import LogStore
from tests.correlation.backends.recorded import recording
from tests.correlation.conftest import Answer, Backend

START = 1_795_305_900.0
OPTIONS: dict[str, Any] = {"service_labels": ["app"], "level_label": "detected_level"}


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    log_labels.forget()
    shared_answers.forget()
    yield
    log_labels.forget()
    shared_answers.forget()


def make_scope(**changes: Any) -> Scope:
    values: dict[str, Any] = {
        "target": "checkout",
        "started_at": START,
        "as_of": START + 60,
        "services": frozenset({"frontend", "checkout", "payments"}),
        "edges": (("frontend", "checkout"), ("checkout", "payments")),
    }
    return Scope(**{**values, **changes})


def serve(backend: Backend) -> tuple[LogStore, list[dict[str, list[str]]]]:
    """The lab's Loki; (what it holds, what it was asked)."""
    store, asked = LogStore(), []

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        asked.append({"path": [path], **params})
        return loki_api.respond(store, "GET", path, params)

    backend.respond = respond
    return store, asked


def run(backend: Backend, scope: Scope, **options: Any) -> tuple[Telemetry, SourceStatus]:
    telemetry, statuses = gather(scope, [Source("loki", "loki", backend.url, options=options)])
    return telemetry, statuses[0]


def first_query(scope: Scope, **options: Any) -> str:
    queries = log_queries(Source("l", "loki", "http://l", options={**OPTIONS, **options}), scope)
    key: Any = queries["errors (incident)"].key
    return str(key[0])


@pytest.mark.parametrize(
    ("scope", "selector"),
    [
        (make_scope(), '{app=~"checkout|frontend|payments"}'),
        (
            make_scope(services=frozenset({'a.b"c', "d"}), target=None, edges=()),
            '{app=~"a\\\\.b\\"c|d"}',
        ),
        (make_scope(services=frozenset(), edges=()), '{app=~".+"}'),
        (make_scope(services=frozenset({"checkout"}), edges=()), '{app=~".+"}'),
        (make_scope(services=frozenset(f"service-{n:04}" for n in range(400))), '{app=~".+"}'),
        (
            make_scope(found_as={"payments": FoundAs({"loki": ("pay-v2", "pay")})}),
            '{app=~"checkout|frontend|pay|pay-v2"}',
        ),
    ],
    ids=["scope", "escaped", "no scope", "lone target", "too many", "other names"],
)
def test_log_queries_select_the_services_of_the_scope(scope: Scope, selector: str) -> None:
    assert first_query(scope).split(" | ")[0] == selector


def test_log_queries_take_selector_and_level_label_from_the_options() -> None:
    query = first_query(make_scope(), selector='{ns="x", s=~"$services"}', level_label="level")

    assert query.startswith('{ns="x", s=~"checkout|frontend|payments"} | level=~"(?i:warn')


def test_log_queries_with_options_need_no_labels_first() -> None:
    queries = log_queries(Source("l", "loki", "http://l", options=OPTIONS), make_scope())

    assert list(queries) == [
        "errors (incident)",
        "errors (baseline)",
        "unlevelled (incident)",
        "unlevelled (baseline)",
        "routine (incident)",
        "routine (baseline)",
        "error counts",
        "patterns",
    ]
    assert len({query.key for query in queries.values()}) == len(queries)


def test_log_queries_ask_by_words_where_no_line_has_a_level(backend: Backend) -> None:
    lines = [{"stream": {"app": "checkout"}, "values": [[str(int(START * 1e9)), "ERROR boom"]]}]
    asked: list[str] = []

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.endswith("/series"):
            return loki_api._json({"status": "success", "data": [{"app": "checkout"}]})
        query = params.get("query", [""])[0]
        asked.append(query)
        counts = query.startswith("sum")
        data = {"resultType": "matrix", "result": []} if counts else {
            "resultType": "streams", "result": lines}  # fmt: skip
        return loki_api._json({"status": "success", "data": data})

    backend.respond = respond

    telemetry, status = run(backend, make_scope())

    words = [query.partition("} ")[2][:14] for query in asked if not query.startswith("sum")]
    assert sorted(words) == ["", "", *["!~ `(?i)\\b(?:w"] * 2, *["|~ `(?i)\\b(?:w"] * 2]
    assert (status.status, len(telemetry.logs)) == ("ok", 4)


def test_uncompared_names_what_lacks_its_other_side() -> None:
    answered = [
        "labels", "errors (incident)", "unlevelled (incident)", "unlevelled by app (baseline)",
        "routine (incident)", "routine (baseline)", "error counts",
    ]  # fmt: skip

    assert uncompared(answered) == {"unlevelled (incident)", "unlevelled by app (baseline)"}


def test_gather_reads_lines_under_the_names_of_the_catalogue(backend: Backend) -> None:
    store, _ = serve(backend)
    store.append({"app": "pay-v2", "level": "error"}, int(START * 1e9), "boom")
    scope = make_scope(found_as={"payments": FoundAs({"loki": ("pay-v2",)})})

    telemetry, status = run(backend, scope)

    assert (status.status, status.queries) == ("ok", 10)
    assert [(line.service, line.level, line.message) for line in telemetry.logs] == [
        ("payments", "error", "boom")
    ]
    assert {series.service for series in telemetry.series} == {"payments"}
    assert telemetry.log_query.startswith('{service_name=~"checkout|frontend|pay-v2"} | detected')


def test_gather_counts_error_lines_with_zeros_where_there_were_none(backend: Backend) -> None:
    store, _ = serve(backend)
    for n in range(30):
        store.append({"app": "checkout", "level": "error"}, int((START + n) * 1e9) + 1, "boom")
    store.append({"app": "checkout", "level": "warn"}, int(START * 1e9), "slow")
    store.append({"app": "frontend", "level": "info"}, int(START * 1e9), "fine")

    telemetry, _ = run(backend, make_scope())

    (counted,) = telemetry.series
    assert (counted.key, counted.unit) == ("metric:checkout:error_log_rate", "1/s")
    assert (float(counted.times[0]), float(counted.times[-1])) == (START - 900, START + 60)
    assert set(counted.times[1:] - counted.times[:-1]) == {10.0}
    assert {
        float(at - START): float(v)
        for at, v in zip(counted.times, counted.values, strict=True)
        if v
    } == {10.0: 1.0, 20.0: 1.0, 30.0: 1.0}


def test_gather_of_a_mixed_installation_loses_nobody(backend: Backend) -> None:
    streams = [{"service_name": "checkout"}, {"service_name": "frontend"}, {"app": "payments"}]
    asked: list[str] = []

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.endswith("/series"):
            return loki_api._json({"status": "success", "data": streams})
        if path.endswith("/patterns"):
            return 404, "text/plain", b""
        asked.append(params["query"][0])
        if asked[-1].startswith("sum"):
            return loki_api._json(
                {"status": "success", "data": {"resultType": "matrix", "result": []}}
            )
        found = [s for s in streams if ("app" in s) == asked[-1].startswith("{app")]
        at = str(int(START * 1e9))
        rows = [
            {"stream": {**labels, "detected_level": "error"}, "values": [[at, "boom"]]}
            for labels in found
        ]
        data = {"resultType": "streams", "result": rows}
        return loki_api._json({"status": "success", "data": data})

    backend.respond = respond

    telemetry, status = run(backend, make_scope())

    assert {line.service for line in telemetry.logs} == {"checkout", "frontend", "payments"}
    second = '{app=~"payments", service_name!~"checkout|frontend|payments"}'
    assert sum(query.startswith(second) for query in asked) == 6
    assert status.queries == 2 + 2 * 7 + 1


@pytest.mark.parametrize("count", [3, 300])
def test_gather_sends_as_many_requests_for_any_number_of_services(
    backend: Backend, count: int
) -> None:
    store, asked = serve(backend)
    names = [f"a-rather-long-service-name-{n:03}" for n in range(count)]
    for name in names:
        store.append({"app": name, "level": "error"}, int(START * 1e9), "boom")
    scope = make_scope(target=names[0], services=frozenset(names), edges=())

    telemetry, status = run(backend, scope)
    again, status_again = run(backend, make_scope(
        target=names[0], services=frozenset(names), edges=(), as_of=START + 70
    ))  # fmt: skip

    assert (status.queries, status_again.queries, len(asked)) == (10, 8, 18)
    assert {line.service for line in telemetry.logs} == set(names)
    assert {line.service for line in again.logs} == set(names)


def test_gather_says_by_which_labels_nobody_was_found(backend: Backend) -> None:
    store, _ = serve(backend)
    store.append({"app": "somebody-else"}, int(START * 1e9), "boom")

    _, status = run(backend, make_scope())

    assert (status.status, status.queries) == ("no_data", 1)
    assert status.detail == (
        "answered, but with no data for the time asked; no label names a stream of checkout, "
        "frontend, payments (tried service_name, app, service, app_kubernetes_io_name, "
        "application, app_name and 12 more)"
    )


def test_gather_of_a_loki_that_died_after_its_labels_were_kept_is_unavailable(
    backend: Backend,
) -> None:
    store, _ = serve(backend)
    store.append({"app": "checkout", "level": "error"}, int(START * 1e9), "boom")
    run(backend, make_scope())
    backend.respond = lambda path, params: (503, "text/plain", b"starting")

    _, status = run(backend, make_scope(as_of=START + 70))

    assert (status.status, status.detail) == (
        "unavailable",
        "answered 503 (service unavailable): starting",
    )


@pytest.mark.parametrize(
    "refusal",
    [(404, ""), (200, '{"status":"success","data":[]}'), (400, "only label matchers")],
    ids=["off", "empty", "refused"],
)
def test_gather_misses_nothing_without_patterns(backend: Backend, refusal: tuple[int, str]) -> None:
    store, _ = serve(backend)
    store.append({"app": "checkout", "level": "error"}, int(START * 1e9), "boom")
    lab = backend.respond

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.endswith("/patterns"):
            return refusal[0], "application/json", refusal[1].encode()
        return lab(path, params)

    backend.respond = respond

    telemetry, status = run(backend, make_scope())

    assert (status.status, status.detail, telemetry.log_patterns) == ("ok", "", ())


def test_gather_hands_the_recorded_patterns_on(backend: Backend) -> None:
    serve(backend)
    body = json.dumps(recording("loki", "patterns_error")["response"]["body"]).encode()
    lab = backend.respond
    backend.respond = lambda path, params: (
        (200, "application/json", body) if path.endswith("/patterns") else lab(path, params)
    )

    telemetry, _ = run(backend, make_scope(), **OPTIONS)

    assert sum(n for pattern in telemetry.log_patterns for _, n in pattern.counts) == 1247
