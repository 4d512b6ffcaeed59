"""Series that fire and resolve over and over: one notice, no bounce, held open."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from pytest_django import Settings

from correlation.models import Analysis
from incidents.intake import recovery
from incidents.models import Alert, Incident, StatusChange
from incidents.upkeep import flapping
from tests.incidents.upkeep.conftest import Deliver
from timeline.models import TimelineEvent

MINUTE = timedelta(minutes=1)


def flap(deliver: Deliver, cycles: int) -> None:
    """Fire and resolve so many times, each firing with a start of its own."""
    begin = timezone.now()
    for cycle in range(cycles):
        at = (begin - timedelta(seconds=cycles - cycle)).isoformat()
        deliver(at=at)
        deliver("resolved", at=at)


def kinds() -> list[str]:
    return list(TimelineEvent.objects.order_by("seq").values_list("kind", flat=True))


def test_rule_8_flapping_series_is_one_notice_one_incident_and_no_bounce(deliver: Deliver) -> None:
    flap(deliver, 8)

    assert Alert.objects.get().flapping_since is not None
    assert Incident.objects.count() == 1
    assert kinds().count("alert_flapping") == 1
    assert [c.to_status for c in StatusChange.objects.all()] == ["open"]


def test_as_many_changes_as_allowed_are_not_flapping(deliver: Deliver) -> None:
    flap(deliver, 3)

    assert Alert.objects.get().flapping_since is None


def test_changes_outside_the_window_do_not_count(deliver: Deliver, settings: Settings) -> None:
    settings.ALERT_FLAP_CHANGES = 100
    flap(deliver, 6)
    settings.ALERT_FLAP_CHANGES = 6

    began = flapping.note_changes(
        Alert.objects.values_list("pk", flat=True), timezone.now() + 31 * MINUTE
    )

    assert began == 0


def test_source_has_limits_of_its_own(deliver: Deliver) -> None:
    deliver("resolved", alertname="Another")
    source = Alert.objects.get().source
    source.flap_changes = 2
    source.save()

    flap(deliver, 2)

    assert Alert.objects.get(name="HighErrorRate").flapping_since is not None


def test_changes_of_a_flapping_series_are_no_news(deliver: Deliver) -> None:
    flap(deliver, 4)
    before = (kinds(), Analysis.objects.count())

    flap(deliver, 3)

    assert (kinds(), Analysis.objects.count()) == before


def test_incident_of_a_flapping_series_waits_longer_before_it_resolves(
    deliver: Deliver, settings: Settings
) -> None:
    settings.RESOLVE_HOLD_DOWN_SECONDS = 60
    flap(deliver, 4)
    calm = timezone.now() + 9 * MINUTE

    early = (flapping.end_quiet(calm), recovery.resolve_quiet(calm))
    late = timezone.now() + 11 * MINUTE
    ended = flapping.end_quiet(late)
    resolved = recovery.resolve_quiet(late)

    assert (early, ended, resolved) == ((0, 0), 1, 1)
    assert kinds().count("alert_flapping") == 2


def test_flapping_that_ends_while_firing_says_so(deliver: Deliver) -> None:
    flap(deliver, 4)
    deliver(at=timezone.now().isoformat())

    flapping.end_quiet(timezone.now() + 11 * MINUTE)

    notice = TimelineEvent.objects.filter(kind="alert_flapping").last()
    assert notice is not None
    assert notice.title == ("Alert HighErrorRate on checkout is steady again: firing for 10 min")
