"""A change told of late: open incidents that it may explain are analysed again, others are not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from correlation.changes import late as late_changes
from correlation.models import Analysis
from incidents.catalogue.changes import record_change
from incidents.models import ChangeEvent, Incident, Service, ServiceDependency, Status
from tests.incidents.conftest import MakeIncident


def make_change(slug: str | None, minutes_ago: float) -> ChangeEvent:
    service = Service.objects.get(slug=slug) if slug else None
    return ChangeEvent.objects.create(
        service=service,
        kind="deploy" if slug else "commit",
        at=timezone.now() - timedelta(minutes=minutes_ago),
        title="v2",
    )


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    """Ten minutes old on checkout, which calls payment; wiki is on its own; nothing queued."""
    found = make_incident(slug="checkout", started_at=timezone.now() - timedelta(minutes=10))
    payment = Service.objects.create(slug="payment", name="Payment")
    Service.objects.create(slug="wiki", name="Wiki")
    checkout = Service.objects.get(slug="checkout")
    ServiceDependency.objects.get_or_create(caller=checkout, callee=payment)
    Analysis.objects.all().delete()
    return found


@pytest.mark.parametrize(
    ("slug", "minutes_ago", "asked"),
    [
        ("checkout", 12.0, 1),
        ("payment", 12.0, 1),
        (None, 12.0, 1),
        ("checkout", 6.0, 1),
        ("checkout", 300.0, 1),
        ("wiki", 12.0, 0),
        ("checkout", 2.0, 0),
        ("checkout", 600.0, 0),
    ],
    ids=["own", "callee", "shared", "just after", "hours", "elsewhere", "later", "too old"],
)
def test_incident_that_a_change_may_explain_is_analysed_again(
    incident: Incident, slug: str | None, minutes_ago: float, asked: int
) -> None:
    change = make_change(slug, minutes_ago)

    assert late_changes.analyse_again(change) == asked
    assert Analysis.objects.filter(incident=incident, reason="change").count() == asked


def test_resolved_incident_is_left_alone(incident: Incident) -> None:
    Incident.objects.update(status=Status.RESOLVED)

    assert late_changes.analyse_again(make_change("checkout", 12.0)) == 0


def test_recording_a_change_asks_once_however_often_it_is_told(incident: Incident) -> None:
    columns = {
        "service": Service.objects.get(slug="checkout"), "kind": "deploy", "title": "v2",
        "ref": "v2", "at": timezone.now() - timedelta(minutes=12),
    }  # fmt: skip

    record_change(source="api", columns=columns)
    Analysis.objects.update(status="done")
    record_change(source="api", columns=columns)

    assert Analysis.objects.filter(incident=incident).count() == 1
