"""Which changes of an incident become notifications."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import edits, lifecycle, signals
from incidents.merges import merging, unmerging
from incidents.models import Incident, NotificationDelivery, StatusChange
from incidents.notify.changes import status_changed
from incidents.notify.outbox import key_of
from incidents.people import roles
from tests.incidents.conftest import MakeIncident, MakeService
from tests.incidents.notify.conftest import MakeChannel, MakeRule, states

pytestmark = pytest.mark.django_db


def events() -> list[str]:
    return list(NotificationDelivery.objects.order_by("pk").values_list("event", flat=True))


def test_every_step_of_an_incident_is_told_once(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, sam: User
) -> None:
    make_rule(make_channel())
    incident = make_incident()

    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    lifecycle.mitigate(incident_id=incident.pk, actor=sam, reason="Rolled back.")
    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    edits.edit(incident_id=incident.pk, actor=sam, changes={"severity": "critical", "title": "X"})
    lifecycle.resolve(incident_id=incident.pk, actor=sam, root_cause="A bad deploy.")
    lifecycle.reopen(incident_id=incident.pk, actor=sam)

    assert events() == [
        "opened",
        "acknowledged",
        "mitigated",
        "relapsed",
        "severity_changed",
        "resolved",
        "reopened",
    ]


def test_facts_are_the_incident_as_it_was_at_the_change(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, sam: User
) -> None:
    make_rule(make_channel())
    incident = make_incident("Checkout fails")
    edits.edit(
        incident_id=incident.pk,
        actor=sam,
        changes={"severity": "critical", "title": "All fails"},
        reason="Worse.",
    )

    rows = list(NotificationDelivery.objects.order_by("pk"))

    told = [(r.facts["title"], r.facts["severity"], r.facts["actor"]) for r in rows]
    assert told == [("Checkout fails", "high", ""), ("All fails", "critical", "sam")]
    assert rows[1].facts["details"] == {"from": "high", "to": "critical"}
    assert rows[1].facts["services"] == ["checkout"]


def test_change_that_is_noted_twice_is_told_once(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    change = StatusChange.objects.get()

    status_changed(change)

    row = NotificationDelivery.objects.get()
    assert row.key == key_of(f"status:{change.pk}", channel.pk)


def test_change_that_is_rolled_back_is_told_to_nobody(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, sam: User
) -> None:
    make_rule(make_channel(), events=["acknowledged"])
    incident = make_incident()

    with transaction.atomic():
        lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
        transaction.set_rollback(True)

    assert events() == []


def test_two_rules_of_one_channel_make_one_row(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    channel, other = make_channel(), make_channel("other")
    make_rule(channel, other, name="a")
    make_rule(channel, name="b")

    make_incident()

    rows = NotificationDelivery.objects.order_by("channel__name")
    assert [(row.channel.name, row.rules) for row in rows] == [
        ("ops", ["a", "b"]),
        ("other", ["a"]),
    ]


def test_imported_incident_is_told_to_nobody(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    make_rule(make_channel())

    make_incident(source=Incident.Source.BACKFILL)

    assert events() == []


def test_merge_is_told_of_the_source_and_its_end_to_pagerduty(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, sam: User
) -> None:
    channel, pager = make_channel(), make_channel("pager", "pagerduty")
    make_rule(channel)
    make_rule(pager, name="pages", events=["opened"])
    target, source = make_incident("Checkout fails"), make_incident("Cart fails")

    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam, reason="One failure.")
    unmerging.unmerge(source_id=source.pk, actor=sam, reason="No, two.")

    assert [event for event, _state in states(channel)] == [
        "opened",
        "opened",
        "merged",
        "unmerged",
    ]
    assert [event for event, _state in states(pager)] == ["opened", "opened", "merged"]
    row = NotificationDelivery.objects.get(channel=channel, event="merged")
    assert (row.incident_id, row.facts["details"]["into"]) == (source.pk, target.reference)


def test_cause_and_role_are_told(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, sam: User
) -> None:
    make_rule(make_channel(), events=["root_cause_identified", "role_assigned"])
    incident = make_incident()

    signals.cause_identified.send(
        Incident, incident=incident, key="1", title="Bad deploy", service="cart", confidence=0.82
    )
    roles.assign(incident_id=incident.pk, user=sam, role="commander", actor=sam)

    assert events() == ["root_cause_identified", "role_assigned"]
    facts = NotificationDelivery.objects.latest("pk").facts
    assert facts["details"] == {"role": "commander", "person": "sam"}


def test_rule_of_a_service_hears_of_its_incidents_alone(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    make_service: MakeService,
) -> None:
    search = make_service("search")
    make_rule(make_channel(), services=[search])

    make_incident()
    told = make_incident("Search fails", services=[search])

    assert [row.incident_id for row in NotificationDelivery.objects.all()] == [told.pk]


def test_what_breaks_through_quiet_hours_takes_what_was_held_along(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, sam: User
) -> None:
    now = timezone.now()
    quiet = {"quiet_from": (now - timedelta(hours=1)).time(), "quiet_until": _later(now)}
    make_rule(make_channel(), **quiet)
    incident = make_incident()
    held = NotificationDelivery.objects.get().due_at

    edits.edit(incident_id=incident.pk, actor=sam, changes={"severity": "critical"})

    dues = [row.due_at for row in NotificationDelivery.objects.order_by("pk")]
    assert held > now + timedelta(minutes=50)
    assert max(dues) <= timezone.now()


def _later(now: Any) -> time:
    later: time = (now + timedelta(hours=1)).time()
    return later
