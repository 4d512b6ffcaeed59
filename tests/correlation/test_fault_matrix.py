"""Each source x each way to fail, over real sockets: the reason is named, the rest stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from correlation.gather import Scope, Source, SourceStatus, gather
from correlation.telemetry import Telemetry
from tests.correlation.backends.faulty_server import envelope, faulty_server, refused_url

START = 1_795_305_900.0
DEADLINE_SECONDS = 20.0
PATIENCE_SECONDS = 10.0
SILENT = ("hang", "drip", "drip-headers")
SIGNALS = 18
GOOD = {
    "prometheus": envelope(
        "matrix",
        [
            {
                "metric": {"service": "checkout", "peer": "payments"},
                "values": [[START - 900, "0.1"], [START, "0.9"]],
            }
        ],
    ),
    "loki": envelope(
        "streams",
        [{"stream": {"app": "checkout"}, "values": [[str(int(START * 1e9)), "level=error boom"]]}],
    ),
}
NAMES = {"prometheus": "Prometheus", "loki": "Loki"}

# fault -> (status, what the reader is told)
FAULTS = {
    "401": "answered 401 (unauthorized: check the credentials or the tenant): no luck",
    "403": "answered 403 (forbidden: these credentials may not read this): no luck",
    "404": "answered 404 (not found: check the address and its path): no luck",
    "429": "answered 429 (too many requests): no luck",
    "500": "answered 500 (internal error): no luck",
    "hang": "did not answer within 0.5 s",
    "drip": "did not answer within 0.5 s",
    "drip-headers": "did not answer within 0.5 s",
    "truncated": "the answer was cut short",
    "huge": "answered more than 1 MB, the rest was not read",
    "redirect": "answered 302 (redirect to elsewhere.invalid), not followed",
    "html": "answered HTML, not JSON",
    "not-json": "answered something that is not JSON",
    "empty": "answered nothing (an empty body)",
}
WRONG_JSON = {
    "prometheus": "answered JSON that is not the Prometheus API's",
    "loki": "answered JSON that is not the Loki API's",
}


def make_source(kind: str, url: str, timeout_seconds: float = PATIENCE_SECONDS) -> Source:
    return Source(
        kind,
        kind,
        url,
        headers={"Authorization": "Bearer s3cret"},
        timeout_seconds=timeout_seconds,
        options={"max_bytes": 1_000_000},
    )


def run(
    broken: str, url: str, timeout_seconds: float = PATIENCE_SECONDS
) -> tuple[Telemetry, SourceStatus, SourceStatus]:
    """Gathers with one kind of source at `url` and the other healthy: (telemetry, bad, good)."""
    other = "loki" if broken == "prometheus" else "prometheus"
    scope = Scope(target=None, started_at=START, as_of=START + 60)
    with faulty_server("good", {"good": GOOD[other]}) as good:
        sources = [make_source(broken, url, timeout_seconds), make_source(other, good.url)]
        telemetry, (bad_status, good_status) = gather(scope, sources, DEADLINE_SECONDS)
    return telemetry, bad_status, good_status


def assert_named_and_rest_stands(
    broken: str, url: str, state: str, detail: str, timeout_seconds: float = PATIENCE_SECONDS
) -> None:
    telemetry, bad, good = run(broken, url, timeout_seconds)

    assert (bad.slug, bad.status, bad.detail) == (broken, state, detail)
    assert telemetry.missing == (f"{NAMES[broken]}: {detail}",)
    assert good.status == "ok"
    if broken == "prometheus":
        assert {line.message for line in telemetry.logs} == {"level=error boom"}
        assert telemetry.series == ()
    else:
        assert len(telemetry.series) == SIGNALS
        assert telemetry.logs == ()
    json.dumps([bad.detail, telemetry.missing], allow_nan=False)


@pytest.mark.parametrize("broken", ["prometheus", "loki"])
@pytest.mark.parametrize(("fault", "detail"), FAULTS.items(), ids=FAULTS.keys())
def test_gather_names_the_fault(broken: str, fault: str, detail: str) -> None:
    # a hanging or dripping server is released only after gather has returned
    with faulty_server(fault) as server:
        patience = 0.5 if fault in SILENT else PATIENCE_SECONDS
        assert_named_and_rest_stands(broken, server.url, "unavailable", detail, patience)


@pytest.mark.parametrize("broken", ["prometheus", "loki"])
def test_gather_names_json_of_another_api(broken: str) -> None:
    with faulty_server("wrong-json") as server:
        assert_named_and_rest_stands(broken, server.url, "unavailable", WRONG_JSON[broken])


@pytest.mark.parametrize("broken", ["prometheus", "loki"])
def test_gather_names_a_refused_connection(broken: str) -> None:
    url = refused_url()

    detail = f"connection refused by {url.removeprefix('http://')}"
    assert_named_and_rest_stands(broken, url, "unavailable", detail)


@pytest.mark.parametrize("broken", ["prometheus", "loki"])
def test_gather_names_a_host_that_does_not_resolve(broken: str) -> None:
    detail = "the name telemetry.invalid could not be resolved"

    assert_named_and_rest_stands(broken, "http://telemetry.invalid:9090", "unavailable", detail)


@pytest.mark.parametrize("broken", ["prometheus", "loki"])
def test_gather_names_a_server_without_tls(broken: str) -> None:
    with faulty_server("empty") as server:
        address = server.url.removeprefix("http://")

        assert_named_and_rest_stands(
            broken,
            f"https://{address}",
            "unavailable",
            f"no TLS connection to {address}: the server does not speak TLS (is it http://?)",
        )


def test_gather_counts_nan_only_answers_as_no_data() -> None:
    with faulty_server("nan") as server:
        url, samples = server.url, (SIGNALS - 3) * 2 + 3 * 2

        assert_named_and_rest_stands(
            "prometheus",
            url,
            "no_data",
            f"answered, but with only NaN or infinite values ({samples} samples) "
            "for the time asked",
        )


def test_gather_with_both_sources_down_still_answers() -> None:
    scope = Scope(target="checkout", started_at=START, as_of=START + 60)
    sources = [make_source(kind, refused_url()) for kind in ("prometheus", "loki")]

    telemetry, statuses = gather(scope, sources, DEADLINE_SECONDS)

    assert [status.status for status in statuses] == ["unavailable", "unavailable"]
    assert (telemetry.series, telemetry.logs, len(telemetry.missing)) == ((), (), 2)


def test_gather_stops_asking_a_source_that_stays_silent() -> None:
    with faulty_server("hang") as server:
        source = Source(
            "prometheus", "prometheus", server.url, timeout_seconds=0.2, options={"concurrency": 1}
        )

        _, statuses = gather(Scope(None, START, START + 60), [source], DEADLINE_SECONDS)

        assert (statuses[0].queries, statuses[0].detail) == (1, "did not answer within 0.2 s")


@pytest.mark.parametrize("fault", SILENT)
def test_gather_returns_at_its_deadline_whatever_a_source_allows_itself(fault: str) -> None:
    with faulty_server(fault) as server:
        source = make_source("prometheus", server.url, timeout_seconds=60.0)

        _, statuses = gather(Scope(None, START, START + 60), [source], 0.4)

        assert statuses[0].status == "unavailable"
        assert statuses[0].detail.startswith("did not answer within 0.")


def test_gather_retries_a_server_error_once() -> None:
    with _flaky() as server:
        _, statuses = gather(
            Scope(None, START, START + 60),
            [Source("prometheus", "prometheus", server.url, options={"concurrency": 1})],
        )

        assert (statuses[0].status, len(server.requests)) == ("ok", SIGNALS + 1)


def test_failure_never_shows_credentials() -> None:
    url = refused_url().replace("http://", "http://ann:s3cret@")

    telemetry, bad, _ = run("prometheus", url)

    assert "s3cret" not in bad.detail + "".join(telemetry.missing)
    assert "ann" not in bad.detail


@contextmanager
def _flaky() -> Iterator[Any]:
    with faulty_server("flaky", {"flaky": GOOD["prometheus"]}) as server:
        yield server
