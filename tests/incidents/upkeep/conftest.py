"""A sender whose deliveries are grouped at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from incidents.intake import alerts, grouping
from incidents.intake.alertmanager import parse
from incidents.intake.received import identity
from incidents.models import AlertOccurrence, AlertSource
from tests.incidents.conftest import MakeService

Deliver = Callable[..., AlertOccurrence | None]


def body_of(status: str = "firing", *, at: str = "2026-11-22T00:05:00Z", **labels: str) -> Any:
    named = {"alertname": "HighErrorRate", "service": "checkout", **labels}
    return {
        "receiver": "studio",
        "alerts": [
            {
                "status": status,
                "labels": named,
                "annotations": {},
                "startsAt": at,
                "fingerprint": "-".join(named.values()),
            }
        ],
    }


@pytest.fixture
def source(make_service: MakeService) -> AlertSource:
    make_service("checkout")
    return alerts.source_of("alertmanager", "alertmanager")


@pytest.fixture
def deliver(source: AlertSource) -> Deliver:
    """Send one alert and group it; its newest occurrence."""

    def send(status: str = "firing", **more: str) -> AlertOccurrence | None:
        body = body_of(status, **more)
        delivery = alerts.store(source, json.dumps(body), parse(body).alerts)
        grouping.run(delivery.pk)
        series = identity(body["alerts"][0]["labels"], source.ignored_labels)
        return (
            AlertOccurrence.objects.filter(alert__identity=series)
            .select_related("alert", "incident")
            .order_by("-started_at", "-id")
            .first()
        )

    return send
