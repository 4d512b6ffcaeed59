"""One look at a data source: whether it answers as its kind does, how fast, in which version.

What decides is a request that an analysis would send too: a build-information page may be open
where the data need a tenant or a login, and some servers of the same API have none.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from correlation.backends.kubernetes import KubernetesApi
from correlation.source_verdict import failure
from correlation.sources import Source, http_arguments
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from incidents.outbound.http import HttpSource

logger = logging.getLogger("studio.correlation")

MAX_BYTES = 4_000_000
LOOK_BACK_SECONDS = 300.0
MOST_NAMESPACES = 5
"""Looked at for the right to list pods."""
VERSION_SECONDS = 2.0
"""A server that answers is not called slow because its version takes long."""


@dataclass(frozen=True)
class Probe:
    """What one look found. `latency_seconds` is of the deciding request, None without an answer.

    `version` is "" where the server does not say. When not reachable, `error` says why without
    naming the source and `reason` is one word for it, as in SourceStatus.
    """

    reachable: bool
    version: str = ""
    latency_seconds: float | None = None
    error: str = ""
    reason: str = ""


def probe(source: Source, deadline: Deadline) -> Probe:
    """Ask the source now, whatever its circuit breaker says. Raises for no source."""
    if source.closed_because:
        return Probe(False, error=source.closed_because, reason="setup")
    if not source.is_configured:
        return Probe(False, error="no address is set", reason="setup")
    try:
        ask, version = LOOKS[source.kind](source)
    except ValueError as error:
        return Probe(False, error=f"is set up wrongly: {error}", reason="setup")
    started = time.monotonic()
    try:
        ask(deadline)
    except BackendError as error:
        return Probe(False, error=error.detail, reason=failure(error))
    except Exception as error:
        logger.exception("probing %s failed", source.slug)
        words = f"the answer could not be read ({type(error).__name__})"
        return Probe(False, error=words, reason="bad_body")
    latency = round(time.monotonic() - started, 4)
    said = ""
    with suppress(BackendError):  # nice to know, and not every server says
        said = version(deadline.sooner(VERSION_SECONDS))
    return Probe(True, said[:100], latency)


Ask = Callable[[Deadline], Any]
Version = Callable[[Deadline], str]


def _prometheus(source: Source) -> tuple[Ask, Version]:
    http = _http(source)

    def ask(deadline: Deadline) -> None:
        body = http.get_json("/api/v1/query", {"query": "1"}, deadline)
        if not isinstance(body, dict) or body.get("status") != "success":
            http.bad_body("answered JSON that is not the Prometheus API's")

    def version(deadline: Deadline) -> str:
        body = http.get_json("/api/v1/status/buildinfo", {}, deadline)
        return _version(body.get("data") if isinstance(body, dict) else None)

    return ask, version


def _loki(source: Source) -> tuple[Ask, Version]:
    http = _http(source)

    def ask(deadline: Deadline) -> None:
        end = time.time()
        span = {"start": _ns(end - LOOK_BACK_SECONDS), "end": _ns(end)}
        body = http.get_json("/loki/api/v1/labels", span, deadline)
        if not isinstance(body, dict) or body.get("status") != "success":
            http.bad_body("answered JSON that is not the Loki API's")

    def version(deadline: Deadline) -> str:
        return _version(http.get_json("/loki/api/v1/status/buildinfo", {}, deadline))

    return ask, version


def _tempo(source: Source) -> tuple[Ask, Version]:
    http = _http(source)

    def ask(deadline: Deadline) -> None:
        end = math.floor(time.time())
        span = {"q": "{}", "limit": 1, "start": end - int(LOOK_BACK_SECONDS), "end": end}
        body = http.get_json("/api/search", span, deadline)
        ours = isinstance(body, dict) and ("traces" in body or "metrics" in body)
        if not ours or not isinstance(body.get("traces", []), list):
            http.bad_body("answered JSON that is not the Tempo API's")

    def version(deadline: Deadline) -> str:
        return _version(http.get_json("/api/status/buildinfo", {}, deadline))

    return ask, version


def _kubernetes(source: Source) -> tuple[Ask, Version]:
    api = KubernetesApi(source)
    given = source.texts("namespaces", ())

    def ask(deadline: Deadline) -> None:
        """One namespace whose pods may be listed is enough: the rest is an analysis' to say."""
        allowed = api.can_i("list", "pods", given[0] if given else "", deadline)
        others = given[1:MOST_NAMESPACES] if given else (api.own_namespace(),)
        for namespace in others:
            if allowed.allowed:
                return
            allowed = api.can_i("list", "pods", namespace, deadline)
        if not allowed.allowed:
            where = ", ".join(given) if given else f"all namespaces or {api.own_namespace()}"
            why = f": {allowed.reason}" if allowed.reason else ""
            hint = (
                ""
                if given
                else "; name those they may in KUBERNETES_NAMESPACES or the option namespaces"
            )
            detail = f"these credentials may not list pods in {where}{why}{hint}"
            raise BackendError("http", detail, source=source.label, status=403)

    return ask, api.version


def _http(source: Source) -> HttpSource:
    return HttpSource(source.label, source.url, max_bytes=MAX_BYTES, **http_arguments(source))


def _version(body: Any) -> str:
    version = body.get("version") if isinstance(body, dict) else None
    return version.replace("\x00", "") if isinstance(version, str) else ""


def _ns(seconds: float) -> str:
    return str(round(seconds * 1e6) * 1000)


LOOKS: dict[str, Callable[[Source], tuple[Ask, Version]]] = {
    "prometheus": _prometheus,
    "loki": _loki,
    "tempo": _tempo,
    "kubernetes": _kubernetes,
}
"""How each kind is looked at: (what decides, what says the version)."""
