"""Alertmanager's API v2, as far as it tells what fires: nothing is ever silenced here."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from lab.alerts import Alert
from lab.webhooks import RECEIVER, fingerprint, rfc3339

JSON = "application/json"
ENDS_AFTER_SECONDS = 300.0
"""Prometheus gives an alert that long to be repeated."""


def respond(
    firing: Sequence[Alert], up_since: float, method: str, path: str
) -> tuple[int, str, bytes]:
    """(status, content type, body); filters in the query string are not heeded."""
    known = {
        "/api/v2/alerts": lambda: [_alert(one) for one in firing],
        "/api/v2/status": lambda: _status(up_since),
    }
    if path not in known:
        return _json(404, {"code": 404, "message": f"path {path} was not found"})
    if method != "GET":
        return _json(405, {"code": 405, "message": f"method {method} is not allowed"})
    return _json(200, known[path]())


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "annotations": dict(sorted(alert.annotations.items())),
        "endsAt": rfc3339(alert.last_true_at + ENDS_AFTER_SECONDS),
        "fingerprint": fingerprint(alert.labels),
        "receivers": [{"name": RECEIVER}],
        "startsAt": rfc3339(alert.fired_at),
        "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": rfc3339(alert.last_true_at),
        "generatorURL": alert.generator_url,
        "labels": dict(sorted(alert.labels.items())),
    }


def _status(up_since: float) -> dict[str, Any]:
    return {
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": ""},
        "uptime": rfc3339(min(up_since, time.time())),
        "versionInfo": {"version": "0.25.0"},
    }


def _json(status: int, value: Any) -> tuple[int, str, bytes]:
    return status, JSON, json.dumps(value).encode()
