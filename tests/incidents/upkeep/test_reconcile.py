"""The reconcile job against Alertmanager's API, answered by what real ones said."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from django.utils import timezone

from incidents.intake import grouping, replay
from incidents.models import Alert, Alertmanager, AlertOccurrence, AlertSource, Delivery, Incident
from incidents.upkeep.reconcile import Outcome, reconcile, sources
from tests.incidents.upkeep.conftest import Deliver
from timeline.models import TimelineEvent

CONTRACTS = Path(__file__).parents[2] / "contracts" / "alertmanager"
URL = "http://alertmanager:9093/prefix"


def recorded(name: str) -> Any:
    return json.loads((CONTRACTS / f"{name}.json").read_text())["response"]["body"]


def held(state: str = "active", by: Any = (), minutes_ago: float = 60, **labels: str) -> Any:
    item = copy.deepcopy(recorded("alerts")[0])
    started = timezone.now() - timedelta(minutes=minutes_ago)
    item["labels"] = {"alertname": "HighErrorRate", "service": "checkout", **labels}
    item["status"] |= {"state": state, "silencedBy": list(by)}
    item["startsAt"] = started.isoformat()
    return item


def answer(http: responses.RequestsMock, alerts: Any, *, up_hours: float = 24) -> None:
    """What the Alertmanager says from now on."""
    up_since = timezone.now() - timedelta(hours=up_hours)
    status = {**recorded("status"), "uptime": up_since.isoformat()}
    http.upsert(responses.GET, f"{URL}/api/v2/alerts", json=alerts)
    http.upsert(responses.GET, f"{URL}/api/v2/status", json=status)


@pytest.fixture
def http() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def server(source: AlertSource) -> Alertmanager:
    return Alertmanager.objects.create(source=source, url=URL)


def missing_for(minutes: float) -> None:
    """As if the alerts that are missing had been for so long."""
    since = timezone.now() - timedelta(minutes=minutes)
    AlertOccurrence.objects.exclude(absent_since=None).update(absent_since=since)


def titles(incident: Incident | None) -> list[str]:
    assert incident is not None
    return [e.title for e in TimelineEvent.objects.filter(incident=incident).order_by("seq")][2:]


def test_rule_7_silenced_alert_that_ended_unheard_is_closed_by_the_reconcile_job(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    occurrence = deliver()
    answer(http, [held("suppressed", ["2c6d"])])
    reconcile(server.source)
    answer(http, recorded("alerts_none"))
    first = reconcile(server.source)
    missing_for(minutes=10)

    outcome = reconcile(server.source)
    grouping.run_waiting()

    assert (first, outcome) == (Outcome(1, 0), Outcome(read=1, unread=0, closed=1))
    assert occurrence is not None
    occurrence.refresh_from_db()
    assert occurrence.resolved_at is not None
    assert occurrence.ended_by == AlertOccurrence.EndedBy.RECONCILED
    assert titles(occurrence.incident) == [
        "Alert HighErrorRate on checkout is suppressed by silence 2c6d",
        "Alert HighErrorRate resolved on checkout",
    ]
    last = TimelineEvent.objects.order_by("seq").last()
    assert last is not None
    assert last.body == "No delivery said so: its Alertmanager lists it no longer."


def test_repeated_reading_of_a_suppressed_alert_says_nothing_new(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    occurrence = deliver()
    answer(http, [held("suppressed", ["2c6d"])])
    reconcile(server.source)
    assert occurrence is not None
    revision = Incident.objects.get().revision

    outcome = reconcile(server.source)

    occurrence.refresh_from_db()
    assert outcome == Outcome(read=1, unread=0)
    assert occurrence.suppressed_by == {"silences": ["2c6d"]}
    assert Incident.objects.get().revision == revision


def test_expired_silence_takes_the_mark_off(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    occurrence = deliver()
    answer(http, [held("suppressed", ["2c6d"])])
    reconcile(server.source)
    answer(http, [held()])

    reconcile(server.source)

    assert occurrence is not None
    occurrence.refresh_from_db()
    assert (occurrence.suppressed_since, occurrence.suppressed_by) == (None, None)
    assert titles(occurrence.incident)[-1].endswith("is suppressed no longer")


def test_alert_that_is_listed_again_was_never_over(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    occurrence = deliver()
    answer(http, [])
    reconcile(server.source)
    missing_for(minutes=9)
    answer(http, [held()])
    reconcile(server.source)
    answer(http, [])

    outcome = reconcile(server.source)

    assert occurrence is not None
    occurrence.refresh_from_db()
    assert (outcome, occurrence.resolved_at) == (Outcome(1, 0), None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": 500, "message": "no"}, 500),
        (recorded("unknown_404"), 404),
        ([{"labels": {}}], 200),
        ({"status": "success", "data": []}, 200),
    ],
)
def test_failure_to_read_resolves_nothing_and_is_visible(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver, body: Any, status: int
) -> None:
    occurrence = deliver()
    answer(http, [])
    reconcile(server.source)
    missing_for(minutes=60)
    http.upsert(responses.GET, f"{URL}/api/v2/alerts", json=body, status=status)

    outcome = reconcile(server.source)

    assert outcome == Outcome(read=0, unread=1)
    assert occurrence is not None
    occurrence.refresh_from_db()
    server.refresh_from_db()
    assert (occurrence.resolved_at, occurrence.absent_since) == (None, None)
    assert (server.state, server.failures, server.last_error != "") == ("failing", 1, True)


def test_unreachable_alertmanager_recovers_with_its_next_answer(
    http: responses.RequestsMock, server: Alertmanager
) -> None:
    http.add(responses.GET, f"{URL}/api/v2/alerts", body=requests.ConnectionError())
    reconcile(server.source)
    answer(http, [])

    reconcile(server.source)

    server.refresh_from_db()
    assert (server.state, server.failures, server.firing, server.version) == ("ok", 0, 0, "0.25.0")


def test_restarted_alertmanager_closes_nothing_and_says_why(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    occurrence = deliver()
    answer(http, [])
    reconcile(server.source)
    missing_for(minutes=60)
    answer(http, [], up_hours=0.05)

    reconcile(server.source)

    assert occurrence is not None
    occurrence.refresh_from_db()
    server.refresh_from_db()
    assert (occurrence.resolved_at, occurrence.absent_since) == (None, None)
    assert server.note == "it has been up for less than 600 s"


def test_one_of_two_alertmanagers_alone_closes_nothing(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    deliver()
    Alertmanager.objects.create(source=server.source, url="http://other:9093")
    http.add(responses.GET, "http://other:9093/api/v2/alerts", status=503)
    answer(http, [])

    outcome = reconcile(server.source)

    assert outcome == Outcome(read=1, unread=1)
    assert AlertOccurrence.objects.filter(resolved_at=None).count() == 1


def test_alert_whose_delivery_was_lost_opens_its_incident(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    deliver("resolved", alertname="Known")
    answer(http, [held()])

    outcome = reconcile(server.source)
    grouping.run_waiting()
    again = reconcile(server.source)

    assert (outcome, again) == (Outcome(1, 0, taken_in=1), Outcome(1, 0))
    assert Incident.objects.get().source == "alert"


def test_alert_of_another_receiver_is_left_to_it(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    Alertmanager.objects.update(receiver="another")
    answer(http, [held()])

    outcome = reconcile(server.source)

    assert outcome == Outcome(1, 0)
    assert Delivery.objects.count() == 0


def test_listed_alert_was_heard_of(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    occurrence = deliver()
    assert occurrence is not None
    before = timezone.now()
    answer(http, [held()])

    reconcile(server.source)

    occurrence.alert.refresh_from_db()
    assert occurrence.alert.last_seen_at >= before


@pytest.mark.parametrize(("state", "by", "beats"), [("active", [], 0), ("suppressed", ["2c6d"], 1)])
def test_rule_9_reading_beats_only_for_a_watchdog_that_is_kept_from_us_on_purpose(
    http: responses.RequestsMock,
    server: Alertmanager,
    deliver: Deliver,
    state: str,
    by: list[str],
    beats: int,
) -> None:
    deliver(alertname="Watchdog")
    before = Alert.objects.get().last_seen_at
    answer(http, [held(state, by, alertname="Watchdog")])

    reconcile(server.source)

    assert Alert.objects.filter(last_seen_at__gt=before).count() == beats


def test_deliveries_taken_once_more_do_not_undo_what_the_reading_ended(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    deliver()
    deliver()
    answer(http, [])
    reconcile(server.source)
    missing_for(minutes=10)
    reconcile(server.source)
    grouping.run_waiting()
    before = list(AlertOccurrence.objects.values("pk", "resolved_at", "ended_by"))

    for delivery in Delivery.objects.order_by("received_at", "id"):
        replay.replay(delivery.pk)
    grouping.run_waiting()

    assert list(AlertOccurrence.objects.values("pk", "resolved_at", "ended_by")) == before
    assert before[0]["ended_by"] == "reconciled"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_delivery_that_came_while_its_alert_was_being_ended_counts(
    http: responses.RequestsMock, server: Alertmanager, deliver: Deliver
) -> None:
    deliver()
    answer(http, [])
    reconcile(server.source)
    missing_for(minutes=10)
    reconcile(server.source)

    deliver()

    assert list(
        AlertOccurrence.objects.order_by("started_at", "id").values_list("ended_by", "resolved_at")
    )[1:] == [("sender", None)]


def test_reading_is_one_workers_at_a_time(server: Alertmanager) -> None:
    Alertmanager.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))

    assert reconcile(server.source) is None


def test_disabled_alertmanager_is_not_read(server: Alertmanager) -> None:
    Alertmanager.objects.update(enabled=False)

    assert (sources(), reconcile(server.source)) == ([], None)


def test_missing_secret_is_the_error_that_is_shown(server: Alertmanager) -> None:
    Alertmanager.objects.update(auth_variable="NOT_SET_ANYWHERE")

    reconcile(server.source)

    server.refresh_from_db()
    assert server.last_error == (
        f"the variable NOT_SET_ANYWHERE named by the Alertmanager {URL} is not set"
    )
