"""The part of the Kubernetes API that the product reads: lists, objects, selectors, pages."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from lab.cluster import Cluster
from lab.kubernetes_cluster import event_object, namespace_object, node_object
from lab.kubernetes_objects import NODES, Object, pod_object
from lab.kubernetes_workloads import deployment_object, replica_set_object
from lab.world import NAMESPACE

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
Answer = tuple[int, str, bytes]
Params = dict[str, list[str]]
Selector = Callable[[Object], bool]

NAMESPACES = ("default", NAMESPACE)
VERSION = {
    "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
    "minCompatibilityMajor": "1", "minCompatibilityMinor": "35", "gitVersion": "v1.36.0",
    "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.27.3", "compiler": "gc", "platform": "linux/amd64",
}  # fmt: skip

# resource -> (API path prefix, list kind, apiVersion)
RESOURCES = {
    "pods": ("/api/v1", "PodList", "v1"),
    "events": ("/api/v1", "EventList", "v1"),
    "deployments": ("/apis/apps/v1", "DeploymentList", "apps/v1"),
    "replicasets": ("/apis/apps/v1", "ReplicaSetList", "apps/v1"),
    "horizontalpodautoscalers": (
        "/apis/autoscaling/v2", "HorizontalPodAutoscalerList", "autoscaling/v2",
    ),
}  # fmt: skip
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
CLUSTER_RESOURCES = {"namespaces": "NamespaceList", "nodes": "NodeList"}
FIELDS = {
    "pods": ("metadata.name", "metadata.namespace", "status.phase", "spec.nodeName"),
    "events": (
        "metadata.name", "metadata.namespace", "reason", "type", "involvedObject.kind",
        "involvedObject.name", "involvedObject.namespace", "involvedObject.uid",
    ),
}  # fmt: skip

_NAME = r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?"
_SET = re.compile(rf"(?P<key>{_NAME})\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)")
_EQUAL = re.compile(rf"(?P<key>{_NAME})\s*(?P<op>==|!=|=)\s*(?P<value>[A-Za-z0-9._-]*)")
_EXISTS = re.compile(rf"(?P<not>!?)\s*(?P<key>{_NAME})")


class Failure(Exception):
    """Answered as a Status object."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details


def _objects(cluster: Cluster, resource: str) -> list[Object]:
    workloads = cluster.workloads.values()
    if resource == "pods":
        return [pod_object(cluster, pod) for w in workloads for pod in w.pods]
    if resource == "events":
        return [event_object(event) for event in cluster.events]
    if resource == "deployments":
        return [deployment_object(cluster, w) for w in workloads]
    if resource == "replicasets":
        return [
            replica_set_object(cluster, w, release) for w in workloads for release in w.releases
        ]
    if resource == "nodes":
        return [node_object(cluster, name) for name in NODES]
    if resource == "namespaces":
        return [namespace_object(cluster, name) for name in NAMESPACES]
    return []  # the shop scales by hand


def _label_requirement(text: str) -> Selector:
    if found := _SET.fullmatch(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        inside = found["op"] == "in"
        return lambda labels: (labels.get(key) in values) == inside
    if found := _EQUAL.fullmatch(text):
        key, value, equal = found["key"], found["value"], found["op"] != "!="
        return lambda labels: (labels.get(key) == value) == equal
    if found := _EXISTS.fullmatch(text):
        key, wanted = found["key"], not found["not"]
        return lambda labels: (key in labels) == wanted
    raise Failure(
        400, "BadRequest", f"unable to parse requirement: found '{text}', expected: identifier"
    )


def _label_selector(text: str) -> Selector:
    parts = re.split(r",(?![^(]*\))", text) if text.strip() else []
    tests = [_label_requirement(part.strip()) for part in parts]
    return lambda item: all(test(item["metadata"].get("labels", {})) for test in tests)


def _field_selector(resource: str, text: str) -> Selector:
    tests: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"([\w.]+)\s*(==|!=|=)\s*(.*)", part)
        known = FIELDS.get(resource, ("metadata.name", "metadata.namespace"))
        if not found or found[1] not in known:
            label = found[1] if found else part
            raise Failure(400, "BadRequest", f"field label not supported: {label}")
        tests.append((found[1], found[3], found[2] != "!="))

    def value(item: Any, path: str) -> str:
        for step in path.split("."):
            item = item.get(step, "") if isinstance(item, dict) else ""
        return str(item)

    return lambda item: all((value(item, p) == wanted) == equal for p, wanted, equal in tests)


def _page(items: list[Object], params: Params, version: int, selected: bool) -> Object:
    """Items from `continue` on, at most `limit`; with list metadata. Items come in name order."""
    raw_limit = params.get("limit", [""])[0]
    if raw_limit and not re.fullmatch(r"-?\d+", raw_limit):
        message = f'strconv.ParseInt: parsing "{raw_limit}": invalid syntax'
        raise Failure(400, "BadRequest", message)
    limit = max(0, int(raw_limit or 0))
    items = sorted(items, key=lambda item: str(item["metadata"]["name"]))
    token = params.get("continue", [""])[0]
    if token:
        try:
            padded = token + "=" * (-len(token) % 4)
            position = json.loads(base64.urlsafe_b64decode(padded))
            start = str(position["start"]).removesuffix("\0")
            version = int(position["rv"])
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            message = f"invalid continue token: continue key is not valid: {error}"
            raise Failure(400, "BadRequest", message) from error
        items = [item for item in items if item["metadata"]["name"] > start]
    metadata: Object = {"resourceVersion": str(version)}
    if limit and len(items) > limit:
        last = items[limit - 1]["metadata"]["name"]
        position = {"v": "meta.k8s.io/v1", "rv": version, "start": f"{last}\0"}
        encoded = base64.urlsafe_b64encode(json.dumps(position).encode())
        metadata["continue"] = encoded.decode().rstrip("=")
        if not selected:
            metadata["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    return {"metadata": metadata, "items": items}


def _list(cluster: Cluster, resource: str, namespace: str | None, params: Params) -> Object:
    labels = params.get("labelSelector", [""])[0]
    fields = params.get("fieldSelector", [""])[0]
    by_label, by_field = _label_selector(labels), _field_selector(resource, fields)
    items = [] if namespace not in (None, NAMESPACE) else _objects(cluster, resource)
    chosen = [item for item in items if by_label(item) and by_field(item)]
    page = _page(chosen, params, cluster.resource_version, bool(labels or fields))
    if resource in CLUSTER_RESOURCES:
        kind, version = CLUSTER_RESOURCES[resource], "v1"
    else:
        _, kind, version = RESOURCES[resource]
    return {"kind": kind, "apiVersion": version, **page}


def _one(cluster: Cluster, resource: str, name: str, namespace: str | None) -> Object:
    if namespace in (None, NAMESPACE):
        for item in _objects(cluster, resource):
            if item["metadata"]["name"] == name:
                if resource in CLUSTER_RESOURCES:
                    kind, version = CLUSTER_RESOURCES[resource], "v1"
                else:
                    _, kind, version = RESOURCES[resource]
                return {"kind": kind.removesuffix("List"), "apiVersion": version, **item}
    details = {"name": name, "kind": resource}
    raise Failure(404, "NotFound", f'{resource} "{name}" not found', details)


def _read(cluster: Cluster, path: str, params: Params) -> Object:
    if params.get("watch", [""])[0] in ("1", "true"):
        raise Failure(400, "BadRequest", "not supported by the lab: watch")
    for resource in CLUSTER_RESOURCES:
        base = f"/api/v1/{resource}"
        if path == base:
            return _list(cluster, resource, None, params)
        if path.startswith(f"{base}/") and "/" not in path.removeprefix(f"{base}/"):
            return _one(cluster, resource, path.removeprefix(f"{base}/"), None)
    for resource, (prefix, _, _) in RESOURCES.items():
        if path == f"{prefix}/{resource}":
            return _list(cluster, resource, None, params)
        found = re.fullmatch(rf"{prefix}/namespaces/([^/]+)/{resource}(?:/([^/]+))?", path)
        if found and found[2]:
            return _one(cluster, resource, found[2], found[1])
        if found:
            return _list(cluster, resource, found[1], params)
    message = "the server could not find the requested resource"
    raise Failure(404, "NotFound", message, {})


def respond(cluster: Cluster, method: str, path: str, params: Params) -> Answer:
    """Answer one request (path after the /kubernetes prefix): (status, content type, body)."""
    if method == "GET" and path in ("/readyz", "/livez", "/healthz"):
        return 200, PLAIN, b"ok"
    if path == "/version":
        return 200, JSON, json.dumps(VERSION).encode()
    if method == "POST" and path == ACCESS_REVIEWS:
        review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"}
        allowed = {**review, "metadata": {}, "spec": {}, "status": {"allowed": True}}
        return 201, JSON, json.dumps(allowed).encode()  # without RBAC everybody may
    groups = ("apps", "autoscaling")
    if path.startswith("/apis/") and path.split("/")[2] not in groups:
        return 404, PLAIN, b"404 page not found\n"
    try:
        if method != "GET":
            raise Failure(405, "MethodNotAllowed", "the lab's cluster is read only")
        return 200, JSON, json.dumps(_read(cluster, path, params)).encode()
    except Failure as failure:
        status: Object = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": failure.message, "reason": failure.reason,
        }  # fmt: skip
        if failure.details is not None:
            status["details"] = failure.details
        status["code"] = failure.code
        return failure.code, JSON, json.dumps(status).encode()
