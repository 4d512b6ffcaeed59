"""Tempo's and Kubernetes' shapes, and the two text formats of the metrics."""

import base64
import io
import json
from typing import Any

import pytest

from lab import kubernetes_api, tempo_api
from lab.exposition import text
from lab.history import record
from lab.simulation import Recording, run

END = 1_795_305_900.0


@pytest.fixture(scope="module")
def crashing() -> Recording:
    return run(4, 60.0, "crash-loop", 40.0, END)


def kubernetes(recording: Recording, path: str, **params: str) -> tuple[int, Any]:
    many = {name: [value] for name, value in params.items()}
    status, _, body = kubernetes_api.respond(recording.simulation.cluster, "GET", path, many)
    return status, json.loads(body)


def test_tempo_finds_failed_traces_of_a_service_and_returns_them_whole(
    crashing: Recording,
) -> None:
    store = crashing.simulation.traces
    query = '{ resource.service.name = "checkout" && status = error }'
    window = {"start": [str(int(END - 60))], "end": [str(int(END))]}

    status, _, body = tempo_api.respond(
        store, "GET", "/api/search", {"q": [query], "limit": ["3"], **window}
    )
    found = json.loads(body)["traces"]
    trace_id = found[0]["traceID"].zfill(32)
    _, _, whole = tempo_api.respond(store, "GET", f"/api/v2/traces/{trace_id}", {})

    spans = json.loads(whole)["trace"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (status, len(found)) == (200, 3)
    assert {trace["rootServiceName"] for trace in found} == {"frontend"}
    assert base64.b64decode(spans[0]["traceId"]).hex() == trace_id
    assert "parentSpanId" not in spans[0]


@pytest.mark.parametrize(
    ("path", "params", "status", "content"),
    [
        ("/api/traces/ffff", {}, 404, b""),
        ("/api/v2/traces/ffff", {}, 200, b'{"trace":{},"metrics":{}}'),
        (
            "/api/search",
            {"q": ["{ a } >> { b }"]},
            400,
            b"not supported by the lab: { a } >> { b }",
        ),
        ("/api/search", {"limit": ["0"]}, 400, b"invalid limit: must be a positive number"),
        ("/ready", {}, 200, b"ready\n"),
    ],
)
def test_tempo_answers_odd_requests_as_the_real_one(
    crashing: Recording, path: str, params: dict[str, list[str]], status: int, content: bytes
) -> None:
    answer = tempo_api.respond(crashing.simulation.traces, "GET", path, params)

    assert (answer[0], answer[2]) == (status, content)


def test_kubernetes_shows_the_crash_loop(crashing: Recording) -> None:
    _, pods = kubernetes(crashing, "/api/v1/namespaces/shop/pods", labelSelector="app=inventory")
    _, events = kubernetes(
        crashing, "/api/v1/namespaces/shop/events", fieldSelector="reason=BackOff"
    )

    states = [pod["status"]["containerStatuses"][0] for pod in pods["items"]]
    assert {pod["status"]["phase"] for pod in pods["items"]} == {"Running"}
    assert "CrashLoopBackOff" in {
        state["state"].get("waiting", {}).get("reason") for state in states
    }
    assert {state["lastState"]["terminated"]["exitCode"] for state in states} == {1}
    assert {event["type"] for event in events["items"]} == {"Warning"}


def test_kubernetes_pages_with_continue(crashing: Recording) -> None:
    path = "/api/v1/namespaces/shop/pods"
    names: list[str] = []
    token = ""
    while True:
        _, page = kubernetes(crashing, path, limit="9", **{"continue": token})
        names += [pod["metadata"]["name"] for pod in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break

    assert len(names) == 22
    assert names == sorted(set(names))


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/api/v1/namespaces/shop/pods/nope", {}, 404),
        ("/api/v1/namespaces/shop/pods", {"limit": "abc"}, 400),
        ("/api/v1/namespaces/shop/pods", {"continue": "garbage"}, 400),
        ("/api/v1/namespaces/shop/pods", {"labelSelector": "app=!x,,"}, 400),
        ("/api/v1/namespaces/shop/nosuch", {}, 404),
    ],
)
def test_kubernetes_refuses_with_a_status(
    crashing: Recording, path: str, params: dict[str, str], status: int
) -> None:
    code, body = kubernetes(crashing, path, **params)

    assert (code, body["kind"], body["status"], body["code"]) == (
        status,
        "Status",
        "Failure",
        status,
    )


def test_a_namespace_that_does_not_exist_is_an_empty_list(crashing: Recording) -> None:
    status, pods = kubernetes(crashing, "/api/v1/namespaces/nope/pods")

    assert (status, pods["items"]) == (200, [])


def test_deploy_shows_as_a_new_revision() -> None:
    recording = run(4, 30.0, "error-deploy", 30.0, END)

    _, deployment = kubernetes(recording, "/apis/apps/v1/namespaces/shop/deployments/checkout")
    _, sets = kubernetes(
        recording, "/apis/apps/v1/namespaces/shop/replicasets", labelSelector="app=checkout"
    )

    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.endswith(":v3.10.0")
    assert sorted(s["spec"]["replicas"] for s in sets["items"]) == [0, 3]


def test_exposition_names_each_family_once() -> None:
    shown = text(run(4, 30.0, None, 0.0, END).simulation.samples()).decode()

    types = [line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    assert shown.endswith("\n")


def test_history_is_open_metrics_with_times() -> None:
    out = io.StringIO()

    written = record(4, 60.0, "crash-loop", 30.0, END).write(out)

    lines = out.getvalue().splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert (lines[-1], len(samples)) == ("# EOF", written)
    assert max(float(line.rsplit(" ", 1)[1]) for line in samples) == END
