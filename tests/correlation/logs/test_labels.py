"""Which labels hold service and level, found out in the lab's Loki over a real socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from correlation.backends.loki import LokiClient
from correlation.logs import labels as log_labels
from correlation.logs.labels import Known, LogLabels, choose, labels_in_use
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from lab import loki_api
from lab.logstore import LogStore
from tests.correlation.backends.recorded import recording
from tests.correlation.conftest import Answer, Backend

START = 1_795_305_000.0
SPAN = (START, START + 1500)
NAMES = ("checkout", "payments")


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    log_labels.forget()
    yield
    log_labels.forget()


def serve(backend: Backend, *streams: Mapping[str, str], **metadata: str) -> LogStore:
    store = LogStore()
    for labels in streams:
        store.append(labels, int((START + 60) * 1e9), "boom", metadata)
    backend.respond = lambda path, params: loki_api.respond(store, "GET", path, params)
    return store


def find(backend: Backend, names: tuple[str, ...] = NAMES, known: Known | None = None) -> LogLabels:
    client = LokiClient(backend.url, retries=0)
    return labels_in_use(
        "loki", client, names, known or Known(everything=not names), SPAN, Deadline(5)
    )


@pytest.mark.parametrize(
    ("streams", "service", "rest"),
    [
        ([{"service_name": "checkout"}, {"service_name": "payments"}], ("service_name",), ()),
        ([{"app": "checkout"}, {"app": "payments"}], ("app",), ()),
        ([{"container": "checkout", "app": "shop"}, {"container": "payments"}], ("container",), ()),
        ([{"job": "prod/checkout"}, {"job": "prod/payments"}], ("job",), ()),
        (
            [{"service_name": "checkout"}, {"app": "payments"}],
            ("service_name", "app"),
            ("payments",),
        ),
        ([{"app": "checkout"}, {"app": "other", "container": "checkout"}], ("app",), ()),
        ([{"app": "checkout-v2"}], (), ()),
        ([], (), ()),
    ],
    ids=["loki 3", "app", "container", "job", "mixed", "sidecar", "nobody", "empty"],
)
def test_choose_names_most_services_and_loses_nobody(
    streams: list[dict[str, str]], service: tuple[str, ...], rest: tuple[str, ...]
) -> None:
    assert choose(streams, NAMES) == (service, rest)


def test_choose_takes_service_name_where_a_recorded_loki_has_both() -> None:
    recorded = [recording("loki", name)["response"]["body"]["data"] for name in
                ("series", "otlp_labels")]  # fmt: skip
    streams = [labels for data in recorded for labels in data]

    assert choose(streams, ("payment-processing", "notification")) == (("service_name",), ())


def test_labels_in_use_takes_two_requests_and_then_none(backend: Backend) -> None:
    serve(backend, {"app": "checkout"}, {"app": "payments"})

    first, second = find(backend), find(backend)

    assert (first.service, first.levels, first.requests) == (
        ("service_name",), ("detected_level",), 2,
    )  # fmt: skip
    assert second == LogLabels(first.service, first.levels, sampled=True, requests=0)
    assert backend.asked == ["/loki/api/v1/series", "/loki/api/v1/query_range"]


def test_labels_in_use_asks_again_for_other_services(backend: Backend) -> None:
    serve(backend, {"app": "checkout"}, {"app": "payments"})

    find(backend)
    again = find(backend, ("payments",))

    assert again.requests == 2


def older(backend: Backend, *streams: dict[str, str]) -> None:
    """A Loki before 3: it adds neither service_name nor detected_level."""

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.endswith("/series"):
            return answer(list(streams))
        if path.endswith("/labels"):
            return answer(sorted({name for labels in streams for name in labels}))
        rows = [
            {"stream": labels, "values": [[str(int(START * 1e9)), "boom"]]} for labels in streams
        ]
        return answer({"resultType": "streams", "result": rows})

    backend.respond = respond


def answer(data: Any) -> Answer:
    return loki_api._json({"status": "success", "data": data})


@pytest.mark.parametrize(
    ("streams", "levels"),
    [
        ([{"app": "checkout", "level": "error"}], ("level",)),
        ([{"app": "checkout", "severity": "E"}, {"app": "payments", "level": "warn"}],
         ("level", "severity")),
        ([{"app": "checkout"}], ()),
    ],
    ids=["level", "two", "none"],
)  # fmt: skip
def test_labels_in_use_finds_the_level_of_an_older_loki(
    backend: Backend, streams: list[dict[str, str]], levels: tuple[str, ...]
) -> None:
    older(backend, *streams)

    assert find(backend).levels == levels


def test_labels_in_use_takes_the_usual_labels_when_no_name_is_known(backend: Backend) -> None:
    older(backend, {"app": "checkout", "container": "x", "pod": "y"})

    found = find(backend, ())

    assert (found.service, found.requests) == (("app", "container"), 2)


def test_labels_in_use_of_every_service_needs_no_stream_of_the_affected_one(
    backend: Backend,
) -> None:
    older(backend, {"app": "payments"})

    found = find(backend, ("checkout",), Known(everything=True))

    assert (found.service, found.requests) == (("app",), 3)


def test_labels_in_use_without_streams_is_not_kept(backend: Backend) -> None:
    serve(backend)
    nothing = find(backend)
    serve(backend, {"app": "checkout"})

    found = find(backend)

    assert (nothing.service, nothing.requests) == ((), 1)
    assert found.service == ("service_name",)


def test_labels_in_use_goes_by_label_names_where_streams_are_not_listed(backend: Backend) -> None:
    store = serve(backend, {"app": "checkout"})

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.endswith("/series"):
            return 404, "text/plain", b"404 page not found"
        return loki_api.respond(store, "GET", path, params)

    backend.respond = respond

    found = find(backend)

    assert (found.service, found.requests) == (("service_name",), 3)


def test_labels_in_use_asks_only_what_the_options_leave_open(backend: Backend) -> None:
    serve(backend, {"app": "checkout"})

    by_label = find(backend, known=Known(service=("app",)))
    by_level = find(backend, known=Known(levels=("level",)))

    assert (by_label.service, by_label.levels) == (("app",), ("detected_level",))
    assert (by_level.service, by_level.levels) == (("service_name",), ("level",))
    assert backend.asked == ["/loki/api/v1/query_range", "/loki/api/v1/series"]


def test_labels_in_use_fails_as_the_source_does(backend: Backend) -> None:
    backend.respond = lambda path, params: (401, "text/plain", b"no org id")

    with pytest.raises(BackendError) as caught:
        find(backend)

    assert caught.value.detail.endswith(": no org id")
