"""The replay corpus: deliveries of real Alertmanagers, and exactly what they have to end in.

docs/alert-intake.md says what a case is and how one is added.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.utils import timezone

from accounts.models import ApiToken
from incidents.intake import alerts, grouping, recovery
from incidents.models import (
    Alert,
    Alertmanager,
    AlertSource,
    Delivery,
    Incident,
    Service,
)
from incidents.upkeep import flapping, stale
from incidents.upkeep.reconcile import reconcile
from tests.incidents.clock import pass_time
from tests.incidents.intake.worlds import deliver

CASES = sorted((Path(__file__).parent / "replays").glob("*.json"))
URL = "http://alertmanager:9093"
TIME = re.compile(r'"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Replay:
    """Steps as they were recorded, now. A pass of time is inserted into the recording: what was
    before it lies so much longer ago for all that comes after."""

    def __init__(self, case: dict[str, Any], times: int, http: responses.RequestsMock) -> None:
        self.case, self.times, self.http = case, times, http
        self.recorded_at = moment(case["steps"][0]["at"])
        self.begins = timezone.now().replace(microsecond=0)
        self.elapsed = 0
        self.passes: list[tuple[datetime, int]] = []
        self.at = self.recorded_at
        _token, self.plain = ApiToken.issue(name="am", scopes=["intake"], owner=None)
        self.source = alerts.source_of("alertmanager", AlertSource.Kind.ALERTMANAGER)
        Alertmanager.objects.create(source=self.source, url=URL, receiver="studio")

    def run(self) -> None:
        for step in self.case["steps"]:
            if "pass_seconds" in step:
                self.passes.append((self.at, step["pass_seconds"]))
            else:
                self.at = moment(step["at"])
            self._catch_up()
            if "deliver" in step:
                for _time in range(self.times):
                    self._deliver(step["deliver"])
            elif "reconcile" in step:
                self._reconcile(step["reconcile"])
            grouping.run_waiting()
            if "pass_seconds" in step:
                grouping.sweep()
                flapping.end_quiet()
                stale.mark_stale()
                recovery.resolve_quiet()

    def now(self, recorded: datetime) -> datetime:
        """When that moment of the recording is, by the clock of this run."""
        return self.begins + timedelta(seconds=self._seconds(recorded) - self.elapsed)

    def _seconds(self, recorded: datetime) -> float:
        inserted = sum(seconds for after, seconds in self.passes if recorded > after)
        return (recorded - self.recorded_at).total_seconds() + inserted

    def _catch_up(self) -> None:
        passed = sum(seconds for _after, seconds in self.passes)
        elapsed = math.ceil((self.at - self.recorded_at).total_seconds() + passed)
        pass_time(elapsed - self.elapsed)
        self.elapsed = elapsed

    def _told(self, given: Any) -> Any:
        def then(found: re.Match[str]) -> str:
            return f'"{self.now(moment(found[1])).isoformat()}"'

        return json.loads(TIME.sub(then, json.dumps(given)))

    def _deliver(self, body: Any) -> None:
        assert deliver(self._told(body), self.plain) == 202

    def _reconcile(self, answers: Any) -> None:
        told = self._told(answers)
        self.http.upsert(responses.GET, f"{URL}/api/v2/alerts", json=told["alerts"])
        self.http.upsert(responses.GET, f"{URL}/api/v2/status", json=told["status"])
        assert reconcile(self.source) is not None

    def state(self) -> dict[str, Any]:
        return {
            "incidents": [self._incident(i) for i in Incident.objects.order_by("number")],
            "alerts": sorted((self._alert(a) for a in Alert.objects.all()), key=str),
            "deliveries": {
                state: Delivery.objects.filter(state=state, body__contains='"version"').count()
                for state in Delivery.objects.values_list("state", flat=True).distinct()
            },
        }

    def _incident(self, incident: Incident) -> dict[str, Any]:
        return {
            "title": incident.title,
            "severity": incident.severity,
            "services": sorted(incident.affected.values_list("service__slug", flat=True)),
            "recovered": not incident.affected.filter(recovered_at=None).exists(),
            "began": round((incident.started_at - self.begins).total_seconds() + self.elapsed, 3),
            "statuses": list(
                incident.status_changes.order_by("at", "id").values_list("to_status", flat=True)
            ),
            "alerts": incident.occurrences.count(),
        }

    def _alert(self, alert: Alert) -> dict[str, Any]:
        numbers = dict(Incident.objects.order_by("number").values_list("pk", "number"))
        first = min(numbers.values(), default=0)
        own = alert.labels.get("pod") or alert.labels.get("instance") or ""
        return {
            "name": f"{alert.name} {own}".strip(),
            "service": alert.labels.get("service", ""),
            "firing": alert.firing,
            "flapping": alert.flapping_since is not None,
            "senders": len(alert.members),
            "received": alert.received_count,
            "occurrences": [
                {
                    "state": "open" if o.resolved_at is None else f"over by {o.ended_by}",
                    "fired": o.fired,
                    "stale": o.stale_since is not None,
                    "incident": numbers[o.incident_id] - first + 1 if o.incident_id else None,
                }
                for o in alert.occurrences.order_by("claimed_started_at", "started_at", "id")
            ],
        }


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.mark.django_db
@pytest.mark.parametrize("times", [1, 2], ids=["as recorded", "each delivery twice"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_recorded_deliveries_end_in_exactly_this(
    path: Path, times: int, http: responses.RequestsMock
) -> None:
    case = json.loads(path.read_text())
    for slug in ("checkout", "ledger"):
        Service.objects.create(slug=slug, name=slug.title())
    replay = Replay(case, times, http)

    replay.run()

    expected = case["expect"]
    for alert in expected["alerts"]:
        alert["received"] *= times
    expected["deliveries"] = {s: n * times for s, n in expected["deliveries"].items()}
    assert replay.state() == expected


def test_no_occurrence_is_counted_twice_or_lost_in_the_corpus() -> None:
    """An incident has exactly the occurrences that name it."""
    for path in CASES:
        expected = json.loads(path.read_text())["expect"]
        for number, incident in enumerate(expected["incidents"], 1):
            named = [
                occurrence
                for alert in expected["alerts"]
                for occurrence in alert["occurrences"]
                if occurrence["incident"] == number
            ]
            assert (path.stem, len(named)) == (path.stem, incident["alerts"])
