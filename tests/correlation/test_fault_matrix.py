"""Each source x each way to fail, over real sockets: the reason is named, the rest stands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from correlation import shared_answers
from correlation.gather import SourceStatus, gather
from correlation.sources import KIND_NAMES, Scope, Source
from correlation.telemetry import Telemetry
from tests.correlation.backends.faulty_server import faulty_server, refused_url
from tests.servers.telemetry import TelemetryServer, source_at, sources_at, telemetry_server

START = 1_795_305_900.0
DEADLINE_SECONDS = 20.0
PATIENCE_SECONDS = 10.0
SILENT = ("hang", "drip", "drip-headers")
SERVICES = ("frontend", "checkout", "payments")
SCOPE = Scope(
    target="checkout",
    started_at=START,
    as_of=START + 60,
    services=frozenset(SERVICES),
    edges=(("frontend", "checkout"), ("checkout", "payments")),
)

# fault -> what the reader is told
FAULTS = {
    "401": r"answered 401 \(unauthorized",
    "403": r"answered 403 \(forbidden",
    "404": r"answered 404 \(not found",
    "429": r"answered 429 \(too many requests\)",
    "500": r"answered 500 \(internal error\)",
    "hang": r"did not answer within 0\.\d+ s",
    "drip": r"did not answer within 0\.\d+ s",
    "drip-headers": r"did not answer within 0\.\d+ s",
    "truncated": r"the answer was cut short",
    "huge": r"answered more than 1 MB, the rest was not read",
    "redirect": r"answered 302 \((redirect to elsewhere\.invalid\), not followed|unexpected)",
    "html": r"answered HTML, not JSON",
    "not-json": r"answered something that is not JSON",
    "nan-number": r"answered something that is not JSON",
    "wrong-json": r"answered (JSON that is not|something else|success without|.* without)",
    "null": r"answered",
    "empty": r"answered nothing \(an empty body\)",
}
KINDS = tuple(KIND_NAMES)


@pytest.fixture(scope="module")
def healthy() -> Iterator[TelemetryServer]:
    with telemetry_server(SERVICES) as server:
        yield server


@pytest.fixture(autouse=True)
def ask_anew() -> None:
    shared_answers.forget()


def run(
    broken: Source, healthy: TelemetryServer, directory: Path
) -> tuple[Telemetry, SourceStatus, list[SourceStatus]]:
    """Gathers with one source broken and the other three healthy: (telemetry, broken, others)."""
    others = [s for s in sources_at(healthy.url, directory) if s.kind != broken.kind]
    telemetry, statuses = gather(SCOPE, [broken, *others], DEADLINE_SECONDS)
    return telemetry, statuses[0], list(statuses[1:])


def broken_source(kind: str, url: str, directory: Path, patience: float) -> Source:
    return source_at(
        kind, url, directory, timeout_seconds=patience, options={"max_bytes": 1_000_000}
    )


def assert_named_and_rest_stands(
    kind: str,
    url: str,
    detail: str,
    healthy: TelemetryServer,
    directory: Path,
    patience: float = PATIENCE_SECONDS,
) -> None:
    source = broken_source(kind, url, directory, patience)

    telemetry, bad, others = run(source, healthy, directory)

    assert (bad.slug, bad.status) == (kind, "unavailable")
    assert re.match(detail, bad.detail), bad.detail
    assert f"{KIND_NAMES[kind]} data unavailable: {bad.detail}" in telemetry.missing
    assert {status.kind: status.status for status in others} == {
        other: "ok" for other in KINDS if other != kind
    }
    by_source = {series.source for series in telemetry.series}
    assert ("prometheus" in by_source) == (kind != "prometheus")
    assert bool(telemetry.logs) == (kind != "loki")
    assert bool(telemetry.spans) == (kind != "tempo")
    json.dumps([bad.detail, telemetry.missing], allow_nan=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fault", "detail"), FAULTS.items(), ids=FAULTS.keys())
def test_gather_names_the_fault(
    kind: str, fault: str, detail: str, healthy: TelemetryServer, tmp_path: Path
) -> None:
    # a hanging or dripping server is released only after gather has returned
    with faulty_server(fault) as server:
        patience = 0.5 if fault in SILENT else PATIENCE_SECONDS
        assert_named_and_rest_stands(kind, server.url, detail, healthy, tmp_path, patience)


@pytest.mark.parametrize("kind", KINDS)
def test_gather_names_a_refused_connection(
    kind: str, healthy: TelemetryServer, tmp_path: Path
) -> None:
    url = refused_url()
    detail = f"connection refused by {url.removeprefix('http://')}"

    assert_named_and_rest_stands(kind, url, detail, healthy, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_gather_names_a_host_that_does_not_resolve(
    kind: str, healthy: TelemetryServer, tmp_path: Path
) -> None:
    detail = "the name telemetry.invalid could not be resolved"

    assert_named_and_rest_stands(kind, "http://telemetry.invalid:9090", detail, healthy, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_gather_names_a_server_without_tls(
    kind: str, healthy: TelemetryServer, tmp_path: Path
) -> None:
    with faulty_server("empty") as server:
        address = server.url.removeprefix("http://")
        detail = rf"no TLS connection to {address}: the server does not speak TLS"

        assert_named_and_rest_stands(kind, f"https://{address}", detail, healthy, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", SILENT)
def test_gather_returns_at_its_deadline_whatever_a_source_allows_itself(
    fault: str, kind: str, tmp_path: Path
) -> None:
    with faulty_server(fault) as server:
        source = source_at(kind, server.url, tmp_path, timeout_seconds=60.0)

        _, statuses = gather(SCOPE, [source], 0.4)

        assert statuses[0].status == "unavailable"
        assert statuses[0].detail.startswith("did not answer within 0.")


@pytest.mark.parametrize("kind", KINDS)
def test_gather_retries_a_server_error_once(kind: str, tmp_path: Path) -> None:
    with faulty_server("500") as server:
        source = source_at(kind, server.url, tmp_path, options={"concurrency": 1})

        _, statuses = gather(SCOPE, [source], DEADLINE_SECONDS)

        assert statuses[0].status == "unavailable"
        assert len(server.requests) == 2 * statuses[0].queries


@pytest.mark.parametrize("kind", KINDS)
def test_failure_never_shows_credentials(kind: str, tmp_path: Path) -> None:
    url = refused_url().replace("http://", "http://ann:s3cret@")
    source = source_at(kind, url, tmp_path, headers={"Authorization": "Bearer s3cret"})

    telemetry, (bad, *_) = gather(SCOPE, [source], DEADLINE_SECONDS)

    assert "s3cret" not in bad.detail + "".join(telemetry.missing)
    assert "ann" not in bad.detail


def test_gather_counts_nan_only_answers_as_no_data(tmp_path: Path) -> None:
    with faulty_server("nan") as server:
        source = source_at(
            "prometheus", server.url, tmp_path, options={"profile": "http_requests_total"}
        )

        _, statuses = gather(SCOPE, [source], DEADLINE_SECONDS)

        assert statuses[0].status == "no_data"
        assert re.match(
            r"answered, but with only NaN or infinite values \(\d+ samples\)", statuses[0].detail
        )


def test_gather_with_every_source_down_still_answers(tmp_path: Path) -> None:
    sources = [source_at(kind, refused_url(), tmp_path) for kind in KINDS]

    telemetry, statuses = gather(SCOPE, sources, DEADLINE_SECONDS)

    assert [status.status for status in statuses] == ["unavailable"] * 4
    assert (telemetry.series, telemetry.logs, telemetry.spans, len(telemetry.missing)) == (
        (), (), (), 4,
    )  # fmt: skip


GROWTH = """
import resource, sys, tempfile
from pathlib import Path
from correlation.gather import gather
from correlation.sources import Scope
from tests.servers.telemetry import source_at

kind, url = sys.argv[1:]
scope = Scope(target="checkout", started_at=1795305900.0, as_of=1795305960.0)
source = source_at(kind, url, Path(tempfile.mkdtemp()), timeout_seconds=60.0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
_, statuses = gather(scope, [source], 120.0)
print(statuses[0].status)
print(statuses[0].detail)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
MOST_GROWTH_MB = 600


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["series", "bytes"])
def test_gather_of_a_flood_is_named_and_keeps_memory_bounded(fault: str, kind: str) -> None:
    body = _flood(kind) if fault == "series" else b"[" + b" " * 50_000_000 + b"]"
    with faulty_server("flood", {"flood": body}) as server:
        child = subprocess.run(
            [sys.executable, "-c", GROWTH, kind, server.url],
            capture_output=True, text=True, check=True, timeout=240,
        )  # fmt: skip

    status, detail, growth = child.stdout.strip().splitlines()
    assert status in ("unavailable", "partial")
    assert re.search(r"more than|were read|cut at", detail), detail
    assert int(growth) < MOST_GROWTH_MB


def _flood(kind: str, count: int = 100_000) -> bytes:
    """One answer of 10^5 small series, streams, traces or pods."""
    if kind == "prometheus":
        rows = [{"metric": {"service": f"s{n}"}, "values": [[1000, "1"]]} for n in range(count)]
        return json.dumps(
            {"status": "success", "data": {"resultType": "matrix", "result": rows}}
        ).encode()
    if kind == "loki":
        streams = [{"stream": {"app": f"s{n}"}, "values": [["1", "x"]]} for n in range(count)]
        return json.dumps(
            {"status": "success", "data": {"resultType": "streams", "result": streams}}
        ).encode()
    if kind == "tempo":
        return json.dumps({"traces": [{"traceID": f"{n:x}"} for n in range(count)]}).encode()
    pods = [{"metadata": {"name": f"p{n}", "namespace": "shop"}} for n in range(count)]
    return json.dumps({"metadata": {}, "items": pods}).encode()
