"""Kept deliveries: taken once more by a command, and let go when they are old."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from incidents import tasks
from incidents.intake import alerts, deliveries, grouping, replay
from incidents.models import Alert, Alertmanager, AlertOccurrence, AlertSource, Delivery, Incident

NOW = timezone.now()
Deliver = Callable[..., Delivery]


@pytest.fixture
def deliver(db: None) -> Deliver:
    """Take a delivery of one alert as it came so long ago."""
    source = alerts.source_of("alertmanager", "alertmanager")

    def take(
        name: str = "HighErrorRate", *, status: str = "firing", ago: float = 0.0, **more: Any
    ) -> Delivery:
        began = (NOW - timedelta(days=20)).isoformat()
        labels = {"alertname": name, "service": "checkout"}
        body = {"alerts": [{"status": status, "labels": labels, "startsAt": began, **more}]}
        made = deliveries.take(source, AlertSource.Kind.ALERTMANAGER, body, json.dumps(body))
        Delivery.objects.filter(pk=made.pk).update(received_at=NOW - timedelta(days=ago))
        return made

    return take


def command(*arguments: Any) -> tuple[str, str]:
    """What it says, and what it complains about."""
    out, err = io.StringIO(), io.StringIO()
    call_command("replay_delivery", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue().strip()


def states() -> dict[UUID, str]:
    return dict(Delivery.objects.values_list("pk", "state"))


def test_command_takes_a_rejected_delivery_once_its_limit_is_raised(
    deliver: Deliver, settings: Any
) -> None:
    settings.INTAKE_MAX_LABELS = 1
    kept = deliver()
    settings.INTAKE_MAX_LABELS = 100

    said = command(str(kept.pk))
    grouping.run_waiting()

    kept.refresh_from_db()
    assert said == ("1 taken", "")
    assert (kept.state, kept.error, kept.alert_count) == ("done", "", 1)
    assert Incident.objects.count() == 1


def test_command_says_why_a_delivery_is_rejected_again(deliver: Deliver, settings: Any) -> None:
    settings.INTAKE_MAX_LABELS = 1
    kept = deliver()

    assert command("--rejected") == (
        "1 rejected again",
        f"{kept.pk}: HighErrorRate: 2 labels are more than INTAKE_MAX_LABELS (1)",
    )


def test_replayed_delivery_changes_nothing_that_later_ones_said(deliver: Deliver) -> None:
    fired = deliver()
    deliver(status="resolved", endsAt=(NOW - timedelta(days=19)).isoformat())
    grouping.run_waiting()
    before = list(AlertOccurrence.objects.values("pk", "resolved_at", "incident"))

    said = command(str(fired.pk))
    grouping.run_waiting()

    assert said == ("1 taken", "")
    assert list(AlertOccurrence.objects.values("pk", "resolved_at", "incident")) == before
    assert Incident.objects.count() == 1


def test_command_leaves_alone_what_waits_already(deliver: Deliver) -> None:
    kept = deliver()

    assert command(str(kept.pk)) == ("1 waiting already", "")
    assert states() == {kept.pk: "queued"}


def test_command_goes_on_after_one_that_cannot_be_read(deliver: Deliver) -> None:
    broken, good = deliver("Broken", ago=2), deliver("Good", ago=1)
    grouping.run_waiting()
    Delivery.objects.filter(pk=broken.pk).update(body="{")

    out, err = command("--since", "2020-01-01T00:00:00Z")

    assert out == "1 taken, 1 unreadable"
    assert err.startswith(f"{broken.pk}: The body is not JSON")
    assert states() == {broken.pk: "done", good.pk: "queued"}


def test_command_takes_those_since_a_time_and_a_dry_run_none(deliver: Deliver) -> None:
    deliver("Old", ago=2)
    deliver("Young", ago=0.5)
    grouping.run_waiting()
    since = (NOW - timedelta(days=1)).isoformat()

    dry = command("--since", since, "--dry-run")
    untouched = set(states().values())
    wet = command("--since", since)

    assert (dry, wet) == (("1 would be taken", ""), ("1 taken", ""))
    assert untouched == {"done"}


def test_command_without_a_match_says_so(db: None) -> None:
    assert command("--rejected") == ("No delivery matches.", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name deliveries, or use --since or --rejected."),
        (("--since", "yesterday"), "--since yesterday: is not an RFC 3339 time."),
        (("--since", "2026-01-01T00:00:00"), "--since 2026-01-01T00:00:00: is not an RFC 3339"),
        (("--since", "2026-13-01T00:00:00Z"), "--since 2026-13-01T00:00:00Z: is not an RFC 3339"),
    ],
)
def test_command_refuses_what_it_cannot_follow(
    db: None, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(CommandError) as refused:
        command(*arguments)

    assert str(refused.value).startswith(said)


def test_command_names_the_delivery_that_there_is_not(deliver: Deliver) -> None:
    known, unknown = deliver(), uuid4()
    grouping.run_waiting()

    with pytest.raises(CommandError, match=f"^There is no delivery {unknown}.$"):
        command(str(known.pk), str(unknown))

    assert Delivery.objects.get().state == "done"


def test_pruning_lets_go_what_is_older_than_the_retention(deliver: Deliver, settings: Any) -> None:
    settings.INTAKE_DELIVERY_RETENTION_DAYS = 7
    old, young = deliver("Old", ago=7.5), deliver("Young", ago=6.5)
    grouping.run_waiting()

    tasks.prune_deliveries()

    assert states() == {young.pk: "done"}
    assert not Delivery.objects.filter(pk=old.pk).exists()


def test_pruning_keeps_the_alerts_and_incidents_of_what_it_lets_go(deliver: Deliver) -> None:
    deliver(ago=30)
    grouping.run_waiting()

    assert replay.prune(NOW) == 1
    occurrence = AlertOccurrence.objects.get()
    assert occurrence.delivery is None
    assert occurrence.incident == Incident.objects.get()
    assert Alert.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "kept"),
    [("queued", True), ("grouping", True), ("rejected", False), ("failed", False)],
)
def test_pruning_keeps_what_still_waits(deliver: Deliver, state: str, kept: bool) -> None:
    deliver(ago=30)
    Delivery.objects.update(state=state)

    replay.prune(NOW)

    assert Delivery.objects.exists() is kept


@pytest.mark.parametrize(("kind", "kept"), [("grafana", 1), ("events", 1), ("alertmanager", 0)])
def test_pruning_keeps_what_says_that_no_alertmanager_knows_an_open_alert(
    deliver: Deliver, kind: str, kept: int
) -> None:
    deliver("Firing", ago=30)
    deliver("Over", ago=30, status="resolved", endsAt=NOW.isoformat())
    Alertmanager.objects.create(source=AlertSource.objects.get(), url="http://alertmanager:9093")
    grouping.run_waiting()
    Delivery.objects.update(kind=kind)

    replay.prune(NOW)

    assert Delivery.objects.count() == kept


@pytest.mark.parametrize("rows", [1, 3])
def test_pruning_takes_the_same_statements_however_many_there_are(
    deliver: Deliver, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    for number in range(rows):
        deliver(f"Alert{number}", ago=30)
    grouping.run_waiting()

    # which, let the occurrences go, delete, and that there are no more; a savepoint around
    with django_assert_num_queries(6):
        pruned = replay.prune(NOW)

    assert pruned == rows


def test_pruning_is_scheduled(settings: Any) -> None:
    scheduled = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]

    assert scheduled.count(tasks.prune_deliveries.name) == 1


def test_time_that_is_replayed_is_when_it_came(deliver: Deliver) -> None:
    """What came long ago is not heard of again now."""
    kept = deliver(ago=3)
    grouping.run_waiting()
    seen: datetime = Alert.objects.get().last_seen_at

    replay.replay(kept.pk)

    assert Alert.objects.get().last_seen_at == seen
