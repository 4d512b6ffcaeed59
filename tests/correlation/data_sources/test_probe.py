"""One look at each kind of source: what decides, what it is called when it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from correlation.data_sources.probe import probe
from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from tests.correlation.backends.faulty_server import faulty_server, refused_url
from tests.correlation.conftest import Answer, Backend

OK: dict[str, Any] = {
    "/api/v1/query": {"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}},
    "/api/v1/status/buildinfo": {"status": "success", "data": {"version": "3.5.0"}},
    "/loki/api/v1/labels": {"status": "success"},
    "/loki/api/v1/status/buildinfo": {"version": "3.5.0"},
    "/api/search": {"traces": [], "metrics": {}},
    "/api/status/buildinfo": {"version": "3.5.0"},
    "/version": {"gitVersion": "3.5.0"},
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {"status": {"allowed": True}},
}
KINDS = ["prometheus", "loki", "tempo", "kubernetes"]


def source_at(kind: str, url: str, folder: Path, **options: Any) -> Source:
    if kind != "kubernetes":
        return Source(kind, kind, url, timeout_seconds=0.5, options=options)
    path = folder / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
            }
        )
    )
    return Source(
        kind, kind, "", timeout_seconds=0.5, kubeconfig=str(path), options=options
    )  # fmt: skip


def respond(path: str, params: dict[str, list[str]]) -> Answer:
    if path not in OK:
        return 404, "text/plain", b"no such page"
    return 200, "application/json", json.dumps(OK[path]).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_probe_tells_version_and_latency(kind: str, backend: Backend, tmp_path: Path) -> None:
    backend.respond = respond

    found = probe(source_at(kind, backend.url, tmp_path), Deadline(5))

    assert (found.reachable, found.version, found.error, found.reason) == (True, "3.5.0", "", "")
    assert found.latency_seconds is not None
    assert len(backend.asked) == 2


@pytest.mark.parametrize("kind", ["prometheus", "loki", "tempo"])
def test_probe_does_without_a_version(kind: str, backend: Backend, tmp_path: Path) -> None:
    backend.respond = lambda path, params: (
        respond("", params) if "buildinfo" in path else respond(path, params)
    )

    found = probe(source_at(kind, backend.url, tmp_path), Deadline(5))

    assert (found.reachable, found.version) == (True, "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("401", "401"),
        ("403", "403"),
        ("500", "500"),
        ("hang", "timeout"),
        ("html", "bad_body"),
        ("truncated", "bad_body"),
        ("wrong-json", "bad_body"),
    ],
)
def test_probe_names_the_fault(kind: str, fault: str, reason: str, tmp_path: Path) -> None:
    with faulty_server(fault) as server:
        found = probe(source_at(kind, server.url, tmp_path), Deadline(5))

    assert (found.reachable, found.reason, found.latency_seconds) == (False, reason, None)
    assert found.error


@pytest.mark.parametrize("kind", KINDS)
def test_probe_names_a_refused_connection(kind: str, tmp_path: Path) -> None:
    url = refused_url()

    found = probe(source_at(kind, url, tmp_path), Deadline(5))

    assert found.reason == "refused"
    assert found.error == f"connection refused by {url.removeprefix('http://')}"


def test_probe_asks_nobody_when_the_set_up_is_wrong(backend: Backend) -> None:
    source = Source("eu", "loki", backend.url, closed_because="the variable X is not set")

    found = probe(source, Deadline(5))

    assert (found.reachable, found.error, found.reason) == (
        False,
        "the variable X is not set",
        "setup",
    )
    assert backend.asked == []


def test_probe_names_the_right_that_is_missing(backend: Backend, tmp_path: Path) -> None:
    verdict = json.dumps({"status": {"allowed": False, "reason": "no RBAC"}}).encode()
    backend.respond = lambda path, params: (201, "application/json", verdict)

    found = probe(
        source_at("kubernetes", backend.url, tmp_path, namespaces=["shop", "pay"]), Deadline(5)
    )

    assert (found.reachable, found.reason) == (False, "403")
    assert found.error == "these credentials may not list pods in shop, pay: no RBAC"


def test_probe_says_how_to_name_namespaces_that_may_be_read(
    backend: Backend, tmp_path: Path
) -> None:
    verdict = json.dumps({"status": {"allowed": False}}).encode()
    backend.respond = lambda path, params: (201, "application/json", verdict)

    found = probe(source_at("kubernetes", backend.url, tmp_path), Deadline(5))

    assert found.error.endswith(
        "; name those they may in KUBERNETES_NAMESPACES or the option namespaces"
    )
