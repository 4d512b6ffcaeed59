"""Silence marks an alert stale, once; it never ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from incidents.models import Alert, AlertOccurrence, AlertSource, Heartbeat
from incidents.upkeep import stale
from tests.incidents.upkeep.conftest import Deliver
from timeline.models import TimelineEvent

HOUR = timedelta(hours=1)


def stale_titles() -> list[str]:
    found = TimelineEvent.objects.filter(kind="alert_stale").order_by("seq")
    return [event.title.partition(" UTC")[0][:45] for event in found]


def test_rule_7_silent_alert_is_marked_stale_once_and_never_closed(deliver: Deliver) -> None:
    occurrence = deliver()
    assert occurrence is not None
    later = timezone.now() + 6 * HOUR

    marked = [stale.mark_stale(later), stale.mark_stale(later + 100 * HOUR)]

    occurrence.refresh_from_db()
    assert marked == [1, 0]
    assert occurrence.stale_since == occurrence.alert.last_seen_at + 5 * HOUR
    assert occurrence.resolved_at is None
    assert stale_titles() == ["Alert HighErrorRate on checkout was last hear"]


def test_alert_repeated_in_time_is_not_stale(deliver: Deliver) -> None:
    deliver()

    marked = stale.mark_stale(timezone.now() + 4.9 * HOUR)

    assert marked == 0


def test_mark_is_taken_off_when_the_alert_is_heard_of_again(deliver: Deliver) -> None:
    occurrence = deliver()
    assert occurrence is not None
    Alert.objects.update(last_seen_at=timezone.now() - 6 * HOUR)
    stale.mark_stale()
    deliver()

    stale.mark_stale()

    occurrence.refresh_from_db()
    assert occurrence.stale_since is None
    assert stale_titles()[1:] == ["Alert HighErrorRate on checkout was heard of "]


def test_patience_follows_the_sources_repeat_interval(
    source: AlertSource, settings: Settings
) -> None:
    settings.ALERT_REPEAT_INTERVAL_SECONDS = 3600
    by_default = stale.patience_of(source)
    source.repeat_interval_seconds = 60

    assert (by_default, stale.patience_of(source)) == (1.25 * HOUR, timedelta(seconds=75))


def test_heartbeats_do_not_go_stale(deliver: Deliver) -> None:
    deliver(alertname="Watchdog")

    assert Heartbeat.objects.count() == 1
    assert stale.mark_stale(timezone.now() + 100 * HOUR) == 0


@pytest.mark.django_db
def test_ended_alert_does_not_go_stale(deliver: Deliver) -> None:
    deliver()
    deliver("resolved")

    assert stale.mark_stale(timezone.now() + 100 * HOUR) == 0
    assert AlertOccurrence.objects.get().stale_since is None
