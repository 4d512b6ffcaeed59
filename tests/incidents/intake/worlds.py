"""What senders may say of three series, and an installation that they say it to over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from accounts.models import ApiToken
from incidents.intake import grouping, recovery
from incidents.models import Alert, AlertOccurrence, Delivery, Incident, Service

MINUTE = timedelta(minutes=1)
_handler = ClientHandler(enforce_csrf_checks=False)


@dataclass(frozen=True)
class Word:
    """What a sender says of one firing of one member: that it fires, or that it is over.

    Firing n of a member lasts from minute 10 n to minute 10 n + 5. `moved` is the start before
    the sender took back a minute of it.
    """

    series: str
    service: str
    severity: str
    mark: str
    firing: bool
    number: int
    moved: bool = False

    @property
    def begins_minute(self) -> float:
        return 10 * self.number + (0.5 if self.mark == "b" else 0) + (1 if self.moved else 0)

    @property
    def ends_minute(self) -> float:
        return 10 * self.number + (5.5 if self.mark == "b" else 5)

    @property
    def told_at(self) -> tuple[float, bool]:
        return (self.begins_minute, False) if self.firing else (self.ends_minute, True)

    def told(self, noon: datetime) -> dict[str, Any]:
        labels = {"alertname": self.series, "service": self.service, "severity": self.severity}
        return {
            "status": "firing" if self.firing else "resolved",
            "labels": {**labels, "replica": self.mark},
            "annotations": {},
            "startsAt": (noon + self.begins_minute * MINUTE).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z"
            if self.firing
            else (noon + self.ends_minute * MINUTE).isoformat(),
            "fingerprint": f"{self.series}-{self.mark}",
        }


SERIES = [
    ("HighErrorRate", "checkout", "critical"),
    ("LatencyHigh", "checkout", "warning"),
    ("QueueFull", "ledger", "warning"),
]


def deliver(body: Any, token: str) -> int:
    """Post it as an Alertmanager would; the status of the answer."""
    client = Client()
    client.handler = _handler  # loads its middleware once
    answer = client.post(
        "/api/intake/alertmanager",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return int(answer.status_code)


class World:
    """A catalogue, a source and its token; what it is told goes through the HTTP endpoint."""

    def __init__(self, noon: datetime) -> None:
        self.noon = noon
        Service.objects.get_or_create(slug="checkout", defaults={"name": "Checkout"})
        _token, self.plain = ApiToken.issue(name="am", scopes=["intake"], owner=None)

    def tell(self, words: Iterable[Word]) -> None:
        body = {"version": "4", "alerts": [word.told(self.noon) for word in words]}
        assert deliver(body, self.plain) == 202

    def state(self) -> dict[str, Any]:
        """After all is grouped and the quiet incidents are resolved."""
        grouping.run_waiting()
        recovery.resolve_quiet(timezone.now() + 10 * MINUTE)
        return {
            "alerts": sorted(
                (
                    a.name,
                    a.firing,
                    {k: m["firing"] for k, m in sorted(a.members.items())}.__repr__(),
                )
                for a in Alert.objects.all()
            ),
            "occurrences": sorted(
                (
                    o.alert.name,
                    (o.claimed_started_at - self.noon) / MINUTE,
                    "open" if o.resolved_at is None else "over",
                    "fired" if o.fired else "never seen firing",
                    o.incident.correlation_key if o.incident else "",
                )
                for o in AlertOccurrence.objects.select_related("alert", "incident")
            ),
            "incidents": sorted(
                (
                    i.correlation_key,
                    i.severity,
                    i.status,
                    (i.started_at - self.noon) / MINUTE,
                    sorted(i.affected.values_list("service__slug", flat=True)),
                    i.affected.filter(recovered_at=None).count(),
                )
                for i in Incident.objects.all()
            ),
            "deliveries": sorted(set(Delivery.objects.values_list("state", "error"))),
        }


def in_order(noon: datetime, words: Iterable[Word]) -> dict[str, Any]:
    """The state after each word once, by claim, each grouped before the next comes."""
    with transaction.atomic():
        world = World(noon)
        for word in sorted(set(words), key=lambda word: word.told_at):
            world.tell([word])
            grouping.run_waiting()
        state = world.state()
        transaction.set_rollback(True)
    return state
