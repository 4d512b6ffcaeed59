"""All four telemetry APIs for any number of services, each answer after a set delay.

A chain of services, each calling the next; every query of a profile gets one series a service
(or an edge), so that gathering can be counted and timed. What it says is steady: no fault.
Prefixes: /prometheus /loki /tempo /kubernetes; /requests/all tells (and forgets) what was asked.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from correlation.sources import Source

METRICS = (
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_sum",
    "http_request_duration_seconds_count",
    "client_requests_total",
    "client_request_duration_seconds_bucket",
    "client_request_duration_seconds_sum",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
)
_BY = re.compile(r"\bby\s*\(([^)]*)\)")
_NAMESPACE = re.compile(r"/namespaces/([^/]+)/")

Params = dict[str, list[str]]


class TelemetryServer(ThreadingHTTPServer):
    """`requests` lists (kind, path); `delays` are seconds by kind.

    `written` keeps the answers by what was asked: one told again costs no more than its delay, as
    of a server that does not share its asker's cores.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, services: Sequence[str], delays: dict[str, float]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.services = list(services)
        self.delays = delays
        self.requests: list[tuple[str, str]] = []
        self.written: dict[str, tuple[int, bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def edges(self) -> list[tuple[str, str]]:
        return list(zip(self.services, self.services[1:], strict=False))

    def counted(self) -> Counter[str]:
        return Counter(kind for kind, _ in self.requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up at its deadline."""


def sources_at(url: str, directory: Path, **columns: Any) -> list[Source]:
    """The four sources of a server like this one; writes a kubeconfig into `directory`."""
    kinds = ("prometheus", "loki", "tempo", "kubernetes")
    return [source_at(kind, f"{url}/{kind}", directory, **columns) for kind in kinds]


def source_at(kind: str, url: str, directory: Path, **columns: Any) -> Source:
    """One source at a base URL, for Kubernetes through a kubeconfig that names it."""
    if kind != "kubernetes":
        return Source(kind, kind, url, **columns)
    path = directory / f"kubeconfig-{abs(hash(url))}"
    path.write_text(kubeconfig(url))
    return Source(kind, kind, "", kubeconfig=str(path), **columns)


def kubeconfig(url: str) -> str:
    """A kubeconfig (JSON is YAML) of one cluster at `url`, context namespace "shop"."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "contexts": [
                {
                    "name": "main",
                    "context": {"cluster": "main", "user": "reader", "namespace": "shop"},
                }
            ],
            "clusters": [{"name": "main", "cluster": {"server": url}}],
            "users": [{"name": "reader", "user": {"token": "s3cret"}}],
        }
    )


@contextmanager
def telemetry_server(
    services: Sequence[str], delays: dict[str, float] | None = None
) -> Iterator[TelemetryServer]:
    server = TelemetryServer(services, delays or {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: TelemetryServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        split = urlsplit(self.path)
        params = parse_qs(split.query or body)
        _, kind, path = split.path.split("/", 2)
        if kind == "requests":
            status, data = 200, json.dumps(self.server.requests).encode()
            self.server.requests.clear()
        else:
            self.server.requests.append((kind, "/" + path))
            time.sleep(self.server.delays.get(kind, 0.0))
            asked = f"{self.path} {body}"
            if asked not in self.server.written:
                answer = _ANSWERS[kind](self.server, "/" + path, params)
                shown = json.dumps(answer if answer is not None else {"message": "not found"})
                self.server.written[asked] = (404 if answer is None else 200, shown.encode())
            status, data = self.server.written[asked]
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _success(data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


def _prometheus(server: TelemetryServer, path: str, params: Params) -> Any:
    if path.endswith("/label/__name__/values"):
        return _success(list(METRICS))
    if path.endswith("/values"):
        return _success(server.services)
    if path.endswith("/buildinfo"):
        return _success({"version": "2.42.0"})
    if path.endswith("/query"):
        at = float(params["time"][0])
        rows = _series(server, params["query"][0], [at])
        vector = [{"metric": row["metric"], "value": row["values"][0]} for row in rows]
        return _success({"resultType": "vector", "result": vector})
    start, end, step = (float(params[key][0]) for key in ("start", "end", "step"))
    times = [start + n * step for n in range(int((end - start) / step) + 1)]
    return _success({"resultType": "matrix", "result": _series(server, params["query"][0], times)})


def _series(server: TelemetryServer, query: str, times: list[float]) -> list[dict[str, Any]]:
    """One steady series a service, or an edge where the query groups by a second label."""
    labels = [name.strip() for name in _BY.findall(query)[0].split(",")] if "by" in query else []
    labels = [name for name in labels if name not in ("le", "")]
    values = [[at, "0.01" if n % 2 else "0.011"] for n, at in enumerate(times)]
    if len(labels) > 1:
        rows = [dict(zip(labels, edge, strict=False)) for edge in server.edges]
    else:
        rows = [dict.fromkeys(labels, service) for service in server.services]
    return [{"metric": labelled, "values": values} for labelled in rows]


def _loki(server: TelemetryServer, path: str, params: Params) -> Any:
    if path.endswith("/buildinfo"):
        return {"version": "3.0.0"}
    if path.endswith("/series"):
        return _success([{"service_name": name} for name in server.services])
    if path.endswith("/labels"):
        return _success(["service_name", "namespace", "pod"])
    if path.endswith("/values"):
        return _success(server.services)
    if path.endswith("/patterns"):
        return _success([])
    query = params["query"][0]
    end = int(params.get("end", params.get("time", ["0"]))[0])
    if "count_over_time" in query or "rate(" in query:
        at = end / 1e9
        rows = [{"service_name": s, "detected_level": "info"} for s in server.services]
        if path.endswith("/query"):
            result = [{"metric": row, "value": [at, "3"]} for row in rows]
            return _success({"resultType": "vector", "result": result})
        result = [{"metric": row, "values": [[at - 30, "3"], [at, "3"]]} for row in rows]
        return _success({"resultType": "matrix", "result": result})
    streams = [
        {
            "stream": {"service_name": service, "detected_level": "error"},
            "values": [[str(end - 10**9 * (n + 1)), f'level=error msg="late by {n} ms"']],
        }
        for n, service in enumerate(server.services)
    ]
    return _success({"resultType": "streams", "result": streams})


def _tempo(server: TelemetryServer, path: str, params: Params) -> Any:
    if path.startswith("/api/metrics") or path.startswith("/api/status"):
        return None
    if "/tag" in path:
        return {"tagValues": [{"type": "string", "value": s} for s in server.services]}
    if path.startswith("/api/search"):
        end = int(params["end"][0])
        return {"traces": [_hit(server, n, end) for n in range(min(20, len(server.services)))]}
    trace = path.rpartition("/")[2]
    return {"trace": {"resourceSpans": _spans(server, trace)}}


def _hit(server: TelemetryServer, n: int, end: int) -> dict[str, Any]:
    span = {
        "spanID": f"{n + 1:016x}",
        "startTimeUnixNano": str((end - 10) * 10**9),
        "durationNanos": "40000000",
        "attributes": [{"key": "service.name", "value": {"stringValue": server.services[n]}}],
    }
    return {
        "traceID": f"{n + 1:032x}",
        "rootServiceName": server.services[0],
        "rootTraceName": "GET /",
        "startTimeUnixNano": str((end - 10) * 10**9),
        "durationMs": 40,
        "spanSet": {"spans": [span], "matched": 1},
        "spanSets": [{"spans": [span], "matched": 1}],
    }


def _spans(server: TelemetryServer, trace: str) -> list[dict[str, Any]]:
    """A call down the chain, a server span each, at most ten deep."""
    resources = []
    for n, service in enumerate(server.services[:10]):
        span = {
            "traceId": trace,
            "spanId": f"{n + 1:016x}",
            "parentSpanId": f"{n:016x}" if n else "",
            "name": "GET /",
            "kind": "SPAN_KIND_SERVER",
            "startTimeUnixNano": str(1_795_305_900 * 10**9 + n * 10**6),
            "endTimeUnixNano": str(1_795_305_900 * 10**9 + 40 * 10**6),
            "status": {},
        }
        resources.append(
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": service}}]
                },
                "scopeSpans": [{"spans": [span]}],
            }
        )
    return resources


def _kubernetes(server: TelemetryServer, path: str, params: Params) -> Any:
    if path == "/version":
        return {"major": "1", "minor": "30", "gitVersion": "v1.30.0"}
    match = _NAMESPACE.search(path)
    namespace = match[1] if match else "shop"
    builders = {"pods": _pod, "replicasets": _replica_set}
    build = builders.get(path.rpartition("/")[2])
    items = [build(service, namespace) for service in server.services] if build else []
    limit, begin = int(params.get("limit", ["0"])[0]), int(params.get("continue", ["0"])[0])
    page = items[begin : begin + limit] if limit else items
    more = str(begin + limit) if limit and begin + limit < len(items) else ""
    metadata = {"resourceVersion": "1", **({"continue": more} if more else {})}
    return {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": page}


def _pod(service: str, namespace: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{service}-5d4f8c7b9-abcde",
            "namespace": namespace,
            "uid": f"pod-{service}",
            "creationTimestamp": "2026-11-20T00:00:00Z",
            "labels": {"app": service, "pod-template-hash": "5d4f8c7b9"},
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": f"{service}-5d4f8c7b9", "uid": f"rs-{service}"}
            ],
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": service, "image": "shop/app:v1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {
                    "name": service,
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-11-20T00:00:05Z"}},
                    "lastState": {},
                }
            ],
        },
    }


def _replica_set(service: str, namespace: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{service}-5d4f8c7b9",
            "namespace": namespace,
            "uid": f"rs-{service}",
            "creationTimestamp": "2026-11-20T00:00:00Z",
            "labels": {"app": service, "pod-template-hash": "5d4f8c7b9"},
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "ownerReferences": [{"kind": "Deployment", "name": service, "uid": f"d-{service}"}],
        },
        "spec": {
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": service, "image": "shop/app:v1"}]}},
        },
        "status": {"replicas": 1, "readyReplicas": 1},
    }


_ANSWERS = {
    "prometheus": _prometheus,
    "loki": _loki,
    "tempo": _tempo,
    "kubernetes": _kubernetes,
}
