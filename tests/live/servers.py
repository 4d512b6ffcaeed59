"""The servers that the environment names, and how to send them something."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

URLS = ("PROMETHEUS_URL", "LOKI_URL", "TEMPO_URL", "TEMPO_OTLP_URL", "TEMPO_ZIPKIN_URL")
VISIBLE_SECONDS = 90.0
"""How long what was pushed may take until it can be asked for."""
OTLP_PORT = 4318

T = TypeVar("T")


def needs(variable: str) -> list[pytest.MarkDecorator]:
    """The marks of a file of live tests: asked for by `-m live`, skipped by name."""
    missing = not os.environ.get(variable)
    return [
        pytest.mark.live,
        pytest.mark.skipif(missing, reason=f"live: {variable} is not set"),
    ]


def address(variable: str) -> str:
    return os.environ[variable].rstrip("/")


def otlp_address() -> str:
    """TEMPO_OTLP_URL, else port 4318 of Tempo's host."""
    given = os.environ.get("TEMPO_OTLP_URL", "").rstrip("/")
    host = urlsplit(os.environ.get("TEMPO_URL", "")).hostname or ""
    return given or f"http://{f'[{host}]' if ':' in host else host}:{OTLP_PORT}"


def headers(kind: str) -> dict[str, str]:
    """LOKI_TENANT, TEMPO_TENANT, PROMETHEUS_TENANT and ..._AUTHORIZATION, as headers."""
    tenant = os.environ.get(f"{kind}_TENANT")
    secret = os.environ.get(f"{kind}_AUTHORIZATION")
    return {
        **({"X-Scope-OrgID": tenant} if tenant else {}),
        **({"Authorization": secret} if secret else {}),
    }


def post(url: str, body: object, sent: dict[str, str]) -> int:
    """Posts JSON; the status. Raises urllib's errors, with the server's words, for 4xx and 5xx."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)


def eventually(ask: Callable[[], T], seen: Callable[[T], bool], what: str) -> T:
    """What `ask` gives once `seen` says so; fails after VISIBLE_SECONDS."""
    end = time.monotonic() + VISIBLE_SECONDS
    while True:
        found = ask()
        if seen(found):
            return found
        if time.monotonic() > end:
            pytest.fail(f"{what} not visible after {VISIBLE_SECONDS:g} s")
        time.sleep(0.5)
