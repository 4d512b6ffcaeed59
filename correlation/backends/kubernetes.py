"""Kubernetes' API, read: lists by page, permissions, version. Raises BackendError only.

Requests go out through the official client's connections with its credentials, but are read
here: in chunks, with a limit, and never past the deadline, error answers included.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import urllib3

from correlation.backends.kubernetes_access import Access, access, renew
from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import (
    BackendError,
    connection_error,
    plain,
    status_error,
    timeout_error,
)
from incidents.outbound.guard import cut_at
from incidents.outbound.http import Answer

Object = dict[str, Any]
Objects = list[Object]
Keep = Callable[[Objects], Objects]

PAGE_SIZE = 500
MAX_ITEMS = 10_000
"""Objects of one list that are read; what lies beyond is named as not read."""
MAX_BYTES = 16_000_000

_CHUNK = 64 * 1024
_RETRY_PAUSE_SECONDS = (0.05, 0.15)
_FLEETING_STATUS = (500, 502, 503, 504)
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"'
    r' in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)"| at the cluster scope)'
)


@dataclass(frozen=True)
class Listing:
    """The objects of a list, without `managedFields`; `truncated` says in words what is not."""

    items: tuple[Object, ...]
    requests: int
    truncated: str = ""


@dataclass(frozen=True)
class Permission:
    """Whether these credentials may do something, and the server's reason if it gave one."""

    allowed: bool
    reason: str = ""


class KubernetesApi:
    """One cluster. Every call takes the deadline it must not outlive.

    Raises ValueError for a bad option; credentials are read when first used.
    """

    def __init__(self, source: Source, *, retries: int = 1) -> None:
        self.source = source
        self.name = source.label
        self.max_bytes = int(source.number("max_bytes", MAX_BYTES))
        self.retries = retries

    def own_namespace(self) -> str:
        """The namespace of the kubeconfig's context, of the pod, or "default"."""
        return access(self.source).namespace

    def version(self, deadline: Deadline) -> str:
        """The server's version, such as "v1.36.0"."""
        body = self._get("/version", {}, deadline)
        if not isinstance(body.get("gitVersion"), str):
            self._bad_body("answered /version without a gitVersion: it is no Kubernetes API")
        return str(body["gitVersion"])

    def can_i(
        self, verb: str, resource: str, namespace: str, deadline: Deadline, group: str = ""
    ) -> Permission:
        """Asks the server (SelfSubjectAccessReview); `namespace` "" is the cluster scope."""
        wanted = {"verb": verb, "resource": resource, "group": group, "namespace": namespace}
        question = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {name: text for name, text in wanted.items() if text}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        status = self._json(self._fetch("POST", path, {}, deadline, question)).get("status")
        if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
            self._bad_body("answered an access review without a verdict")
        return Permission(status["allowed"], plain(str(status.get("reason") or "")))

    def namespaces(self, deadline: Deadline) -> tuple[str, ...]:
        """The names of all namespaces; a right of its own, often not given."""
        items = self.list("/api/v1/namespaces", deadline).items
        return tuple(item["metadata"]["name"] for item in items)

    def deployments(self, deadline: Deadline, namespace: str = "") -> Listing:
        """The Deployments of a namespace, "" for all."""
        return self.list(list_path("/apis/apps/v1", "deployments", namespace), deadline)

    def list(self, path: str, deadline: Deadline, keep: Keep | None = None) -> Listing:
        """A list, page by page, up to MAX_ITEMS; one whose token expired is begun again, once.

        `keep` may drop and slim what has been read, after each page.
        """
        items: Objects = []
        token, read, requests, restarted = "", 0, 0, False
        while True:
            params = {"limit": str(PAGE_SIZE), **({"continue": token} if token else {})}
            requests += 1
            try:
                body = self._get(path, params, deadline)
            except BackendError as error:
                if error.status != 410 or not token or restarted:
                    raise
                items, token, read, restarted = [], "", 0, True
                continue
            page = self._items(body)
            fresh = page[: MAX_ITEMS - read]
            read += len(fresh)
            items += fresh
            items = keep(items) if keep else items
            token = self._continue(body)
            if not token or read >= MAX_ITEMS:
                more = bool(token) or len(fresh) < len(page)
                cut = f"only the first {read} {path.rpartition('/')[2]} were read" if more else ""
                return Listing(tuple(items), requests, cut)

    def _items(self, body: Object) -> Objects:
        items = body.get("items", "")
        named = str(body.get("kind") or "List").endswith("List")
        if not named or not isinstance(items, list | type(None)):
            self._bad_body("answered JSON that is not a Kubernetes list")
        for item in items or ():
            metadata = item.get("metadata") if isinstance(item, dict) else None
            if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
                self._bad_body("answered a list with an item that is no Kubernetes object")
            metadata.pop("managedFields", None)  # often most of an object, and never read
        return items or []

    def _continue(self, body: Object) -> str:
        metadata = body.get("metadata")
        if not isinstance(metadata, dict):
            self._bad_body("answered a list without metadata")
        return str(metadata.get("continue") or "")

    def _get(self, path: str, params: Mapping[str, str], deadline: Deadline) -> Object:
        return self._json(self._fetch("GET", path, params, deadline))

    def _json(self, answer: Answer) -> Object:
        """The object of a 2xx answer. Raises for any other with the server's own message."""
        if answer.status >= 300:
            raise _refusal(self.name, answer)
        if not answer.body.strip():
            self._bad_body("answered nothing (an empty body)")
        if answer.is_html:
            self._bad_body("answered HTML, not JSON")
        try:
            body = json.loads(answer.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            self._bad_body("answered something that is not JSON")
        if not isinstance(body, dict):
            self._bad_body("answered JSON that is not an object")
        return body

    def _bad_body(self, why: str) -> NoReturn:
        raise BackendError("bad_body", why, source=self.name)

    def _fetch(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        deadline: Deadline,
        body: Object | None = None,
    ) -> Answer:
        """One answer of any status; connection errors and 5xx are tried again within the deadline.

        After a 401 the credentials are read anew, once: tokens in files change unseen.
        """
        way = access(self.source, deadline.remaining())
        left, renewed = self.retries, False
        while True:
            pause = random.uniform(*_RETRY_PAUSE_SECONDS)
            last = left <= 0
            try:
                answer = self._once(way, method, path, params, deadline, body)
                if answer.status == 401 and not renewed and self.source.kubeconfig:
                    way, renewed = renew(self.source, way, deadline.remaining()), True
                    continue
                if last or answer.status not in _FLEETING_STATUS or deadline.remaining() <= pause:
                    return answer
            except BackendError as error:
                if last or not error.fleeting or deadline.remaining() <= pause:
                    raise
            left -= 1
            time.sleep(pause)

    def _once(
        self,
        way: Access,
        method: str,
        path: str,
        params: Mapping[str, str],
        deadline: Deadline,
        body: Object | None,
    ) -> Answer:
        limit = deadline.sooner(self.source.timeout_seconds)
        allowed = max(limit.remaining(), 0.001)
        headers = self._headers(way, limit)
        wait = max(limit.remaining(), 0.001)
        if body is not None:
            headers["Content-Type"] = "application/json"
        with cut_at(limit) as guard:
            try:
                response = way.api.rest_client.pool_manager.request(
                    method,
                    way.api.configuration.host + path,
                    headers=headers,
                    timeout=urllib3.Timeout(connect=wait, read=wait),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    **({"fields": dict(params)} if body is None else {"body": json.dumps(body)}),
                )
                try:
                    content = self._read(response, limit)
                except BaseException:
                    response.close()  # half read: not for the pool
                    raise
                response.release_conn()
                if guard.fired:  # cut while reading: what came may look complete
                    raise TimeoutError("deadline")
                kind = response.headers.get("content-type", "")
                return Answer(response.status, kind, content)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                # a NewConnectionError calls itself a timeout, whatever kept it from connecting
                timed_out = isinstance(
                    error, urllib3.exceptions.TimeoutError | TimeoutError
                ) and not isinstance(error, urllib3.exceptions.NewConnectionError)
                if guard.fired or limit.expired() or timed_out:
                    raise timeout_error(self.name, allowed) from None
                raise connection_error(self.name, way.address, error) from None

    def _headers(self, way: Access, limit: Deadline) -> dict[str, str]:
        try:
            headers = way.headers(limit.remaining())
        except Exception as error:  # whatever a plugin, a token file or OIDC may raise
            why = plain(f"{type(error).__name__}: {error}")
            raise BackendError(
                "refused", f"credentials could not be renewed: {why}", source=self.name
            ) from error
        if headers is None or limit.expired():
            raise BackendError("timeout", "credentials were not renewed in time", source=self.name)
        return headers

    def _read(self, response: urllib3.BaseHTTPResponse, limit: Deadline) -> bytes:
        chunks = []
        size = 0
        while chunk := response.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > self.max_bytes:
                raise BackendError(
                    "too_large",
                    f"answered more than {self.max_bytes / 1e6:.3g} MB, the rest was not read",
                    source=self.name,
                    status=response.status,
                )
            if limit.expired():
                raise TimeoutError("deadline")
            chunks.append(chunk)
        return b"".join(chunks)


def list_path(prefix: str, resource: str, namespace: str = "") -> str:
    """The path of a list; `namespace` "" is the whole cluster."""
    return f"{prefix}/namespaces/{namespace}/{resource}" if namespace else f"{prefix}/{resource}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refusal(name: str, answer: Answer) -> BackendError:
    """The error for an answer of 300 and above, from its Status object or plain text."""
    said = "" if answer.is_html else answer.body[:4096].decode("utf-8", "replace").strip()
    with suppress(ValueError, RecursionError):
        body = json.loads(answer.body)
        said = str(body.get("message") or "") if isinstance(body, dict) else ""
    error = status_error(name, answer.status, said)
    found = _FORBIDDEN.search(said) if answer.status == 403 else None
    if not found:
        return error
    where = f"in namespace {found['namespace']}" if found["namespace"] else "in the whole cluster"
    resource = found["resource"] + (f".{found['group']}" if found["group"] else "")
    detail = f"forbidden: {found['user']} may not {found['verb']} {resource} {where}"
    if found["user"] == "system:anonymous":
        detail += " (no credentials were sent: check the kubeconfig's user and its plugin)"
    return BackendError("http", detail, source=name, status=403)
