"""Kubernetes' API, read: lists by page, permissions, version. Raises BackendError only.

Requests go out through the official client's connections with its credentials, but are read
here: in chunks, with a limit, and never past the deadline, error answers included.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping

import urllib3

from correlation.backends.kubernetes_access import Access, access, renew
from correlation.backends.kubernetes_answers import (
    Listing,
    Object,
    Objects,
    Permission,
    bad_body,
    items_of,
    next_page,
    read_object,
)
from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import (
    BackendError,
    connection_error,
    plain,
    timeout_error,
)
from incidents.outbound.guard import cut_at
from incidents.outbound.http import Answer

Keep = Callable[[Objects], Objects]

PAGE_SIZE = 500
MAX_ITEMS = 10_000
"""Objects of one list that are read; what lies beyond is named as not read."""
MAX_BYTES = 16_000_000

_CHUNK = 64 * 1024
_RETRY_PAUSE_SECONDS = (0.05, 0.15)
_FLEETING_STATUS = (500, 502, 503, 504)


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
            bad_body(self.name, "answered /version without a gitVersion: it is no Kubernetes API")
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
        answer = self._fetch("POST", path, {}, deadline, question)
        status = read_object(self.name, answer).get("status")
        if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
            bad_body(self.name, "answered an access review without a verdict")
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
            page = items_of(self.name, body)
            fresh = page[: MAX_ITEMS - read]
            read += len(fresh)
            items += fresh
            items = keep(items) if keep else items
            token = next_page(self.name, body)
            if not token or read >= MAX_ITEMS:
                more = bool(token) or len(fresh) < len(page)
                cut = f"only the first {read} {path.rpartition('/')[2]} were read" if more else ""
                return Listing(tuple(items), requests, cut)

    def _get(self, path: str, params: Mapping[str, str], deadline: Deadline) -> Object:
        return read_object(self.name, self._fetch("GET", path, params, deadline))

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
