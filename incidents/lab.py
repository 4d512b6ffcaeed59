"""Client of the failure lab: lists, starts and stops its faults. Only when LAB_URL is set."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

import requests
from django.conf import settings

TIMEOUT_SECONDS = (1.0, 3.0)


class LabUnavailable(Exception):
    """The lab did not answer, or answered something that is not the lab's."""


class LabRefused(Exception):
    """The lab refused the request; the message says why and names the field."""


def faults() -> list[dict[str, Any]]:
    """[{id, title, description, service, kind, active, started_at}]"""
    answer = _ask("GET", "/lab/faults")
    return cast("list[dict[str, Any]]", answer["faults"] if isinstance(answer, dict) else answer)


def start(fault_id: str) -> Any:
    return _ask("POST", f"/lab/faults/{quote(fault_id, safe='')}/start")


def stop(fault_id: str) -> Any:
    return _ask("POST", f"/lab/faults/{quote(fault_id, safe='')}/stop")


def stop_all() -> Any:
    return _ask("POST", "/lab/faults/stop")


def fail(payload: dict[str, Any]) -> Any:
    """Drive one service by {service, error_rate, cpu_usage, memory_usage, response_time_ms,
    db_connections}."""
    return _ask("POST", "/lab/fail", payload)


def stop_fail() -> Any:
    return _ask("DELETE", "/lab/fail")


def _ask(method: str, path: str, payload: dict[str, Any] | None = None) -> Any:
    try:
        answer = requests.request(
            method,
            settings.LAB_URL + path,
            json=payload,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        body = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise LabUnavailable(f"The lab does not answer ({type(error).__name__}).") from error
    if 400 <= answer.status_code < 500:
        raise LabRefused(str(body.get("error", body)))
    if answer.status_code >= 500:
        raise LabUnavailable(f"The lab answered {answer.status_code}: {body}")
    return body
