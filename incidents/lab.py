"""Client of the failure lab: lists, starts and stops its faults. Only when LAB_URL is set."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

import requests
from django.conf import settings

from accounts import audit
from accounts.models import User
from incidents import lifecycle
from incidents.intake.placement import service_key
from incidents.models import Incident, Service, Severity

TIMEOUT_SECONDS = (1.0, 3.0)
INBOX_PATH = "/lab/inbox"
INCIDENT_ABOVE = 0.25
"""error_rate above which a failure opens an incident at once, as the original did."""
CRITICAL_FROM = 0.5


class LabUnavailable(Exception):
    """The lab did not answer, or answered something that is not the lab's."""


class LabRefused(Exception):
    """The lab refused the request; the message says why, `field` what of the payload is wrong."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.field = field


def faults() -> list[dict[str, Any]]:
    """[{id, title, description, service, kind, active, started_at}]"""
    answer = _ask("GET", "/lab/faults")
    return cast("list[dict[str, Any]]", answer["faults"] if isinstance(answer, dict) else answer)


def inbox() -> list[dict[str, Any]]:
    """[{at, headers, body}], newest first: what was posted to the lab's inbox."""
    return cast("list[dict[str, Any]]", _ask("GET", INBOX_PATH))


def start(fault_id: str) -> Any:
    done = _ask("POST", f"/lab/faults/{quote(fault_id, safe='')}/start")
    audit.record("lab.fault_started", None, None, {"fault": fault_id})
    return done


def stop(fault_id: str) -> Any:
    done = _ask("POST", f"/lab/faults/{quote(fault_id, safe='')}/stop")
    audit.record("lab.fault_stopped", None, {"fault": fault_id}, None)
    return done


def stop_all() -> Any:
    done = _ask("POST", "/lab/faults/stop")
    audit.record("lab.faults_stopped")
    return done


def fail(payload: dict[str, Any]) -> Any:
    """Drive one service by {service, error_rate, cpu_usage, memory_usage, response_time_ms,
    db_connections}."""
    done = _ask("POST", "/lab/fail", payload)
    audit.record("lab.failure_started", None, None, payload)
    return done


def break_service(
    *, service: Service, failure: dict[str, Any], actor: User | None
) -> lifecycle.Opened | None:
    """Drive the service by `failure` (as in `fail`, without `service`); the incident it opened
    or joined when its error_rate is above INCIDENT_ABOVE.

    Raises LabRefused or LabUnavailable; no incident is opened then.
    """
    fail({"service": service.slug, **failure})
    rate: float = failure.get("error_rate", 0.0)
    if rate <= INCIDENT_ABOVE:
        return None
    return lifecycle.open_incident(
        title=f"{service.slug}: error rate {rate:.0%}",
        severity=Severity.CRITICAL if rate >= CRITICAL_FROM else Severity.HIGH,
        services=[service],
        description="Opened by a failure started in the lab.",
        source=Incident.Source.LAB,
        actor=actor,
        correlation_key=service_key(service.environment, service.slug),
    )


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
        said = body if isinstance(body, dict) else {"error": body}
        raise LabRefused(str(said.get("error", said)), str(said.get("field", "")))
    if answer.status_code >= 500:
        raise LabUnavailable(f"The lab answered {answer.status_code}: {body}")
    return body
