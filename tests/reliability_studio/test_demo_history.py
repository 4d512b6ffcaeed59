"""The demo's past is as the product would have recorded it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Role, User
from correlation.models import Analysis
from incidents import demo as shop
from incidents import lifecycle
from incidents.models import Incident, NotificationDelivery
from reliability_studio import demo_history
from reliability_studio.demo_stories import STORIES
from timeline.models import Kind
from timeline.postmortems.models import Postmortem
from timeline.reporting import writing
from timeline.reporting.models import IncidentReport
from timeline.verify import verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def now(db: None) -> datetime:
    """With the people and the services of the demo."""
    for name, role in (("sam", Role.RESPONDER), ("admin", Role.ADMIN)):
        User.objects.create_user(username=name, email=f"{name}@studio.example", role=role)
    shop.seed()
    return datetime.now(UTC)


def test_stories_are_sealed_incidents_with_the_times_of_then(now: datetime) -> None:
    assert demo_history.seed(now) == len(STORIES)

    made = list(Incident.objects.order_by("number"))
    assert [incident.title for incident in made] == [story.title for story in STORIES]
    for incident, story in zip(made, STORIES, strict=True):
        began = now - story.ago
        seconds = (incident.ttd_seconds, incident.mtta_seconds, incident.ttm_seconds)
        minutes = (story.detected, story.acknowledged, story.mitigated)
        assert incident.started_at == began
        assert seconds == tuple(timedelta(minutes=each).total_seconds() for each in minutes)
        assert incident.mttr_seconds == timedelta(minutes=story.resolved).total_seconds()
        assert incident.affected.count() == len(story.services)
        assert verify(incident).ok
        events = list(incident.timeline.order_by("seq"))
        assert [event.kind for event in events if event.kind != Kind.NOTE] == [
            "incident_created", "role_changed", "status_changed", "mitigation_applied",
            "status_changed", "incident_resolved",
        ]  # fmt: skip
        assert events == sorted(events, key=lambda event: event.occurred_at)
        assert all(event.recorded_at >= now for event in events)


def test_stories_are_off_the_board_and_in_the_statistics(now: datetime) -> None:
    demo_history.seed(now)

    assert Incident.objects.filter(archived_at=None).count() == 0
    assert Incident.objects.for_stats().count() == len(STORIES)
    assert (NotificationDelivery.objects.count(), Analysis.objects.count()) == (0, 0)


def test_postmortems_stand_at_different_places(now: datetime) -> None:
    demo_history.seed(now)
    writing.run_waiting()

    states = Postmortem.objects.order_by("incident__number").values_list("state", flat=True)
    assert list(states) == [story.state for story in STORIES]
    assert set(IncidentReport.objects.values_list("state", flat=True)) == {"done"}
    published = Postmortem.objects.get(state="published")
    assert STORIES[0].words["summary"] in published.markdown


def test_past_is_made_once_and_never_beside_other_incidents(now: datetime) -> None:
    lifecycle.open_incident(title="Live already", severity="low", services=[])

    assert demo_history.seed(now) == 0
    assert Incident.objects.count() == 1
