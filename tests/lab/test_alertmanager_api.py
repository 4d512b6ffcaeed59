"""The lab's Alertmanager answers in the shape of a real one, and the product can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from incidents.upkeep.alertmanager_api import held_alerts
from lab import alertmanager_api
from lab.alerts import Alert

CONTRACTS = Path(__file__).parents[1] / "contracts" / "alertmanager"
LABELS = {"alertname": "HighErrorRate", "service": "checkout", "severity": "critical"}
FIRING = Alert(LABELS, {"summary": "s"}, "http://p/graph", 1000.0, 1010.0, 1005.0)


def recorded(name: str) -> Any:
    return json.loads((CONTRACTS / f"{name}.json").read_text())["response"]["body"]


def asked(path: str, method: str = "GET") -> tuple[int, Any]:
    status, _kind, body = alertmanager_api.respond([FIRING], 900.0, method, path)
    return status, json.loads(body)


def test_alerts_have_the_fields_of_a_real_answer() -> None:
    status, alerts = asked("/api/v2/alerts")

    assert status == 200
    assert [sorted(one) for one in alerts] == [sorted(recorded("alerts")[0])]
    assert sorted(alerts[0]["status"]) == sorted(recorded("alerts")[0]["status"])


def test_product_reads_what_the_lab_says_fires() -> None:
    [held] = held_alerts(asked("/api/v2/alerts")[1])

    assert (held.alert.labels, held.state, held.receivers) == (
        LABELS,
        "active",
        ("reliability-studio",),
    )
    assert held.alert.starts_at is not None
    assert held.alert.starts_at.timestamp() == 1005.0


def test_status_says_since_when_it_runs() -> None:
    status, body = asked("/api/v2/status")

    assert (status, body["uptime"], body["cluster"]["status"]) == (
        200,
        "1970-01-01T00:15:00.000Z",
        "disabled",
    )


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/api/v2/nope", "GET", 404), ("/api/v2/alerts", "POST", 405)],
)
def test_what_it_does_not_speak_is_refused(path: str, method: str, status: int) -> None:
    assert asked(path, method)[0] == status
