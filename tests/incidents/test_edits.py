"""An edit keeps what stood there before, and does not overwrite another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import edits, lifecycle
from tests.incidents.conftest import MakeIncident, MakeService


def test_edit_keeps_the_old_value(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident("Old title")

    edits.edit(incident_id=incident.pk, actor=sam, changes={"title": "New title"})

    change = incident.field_changes.get()
    assert (change.field, change.old, change.new, change.actor) == (
        "title",
        "Old title",
        "New title",
        sam,
    )


def test_edit_with_a_stale_version_conflicts(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    edits.edit(incident_id=incident.pk, actor=sam, changes={"title": "First"}, version=1)

    with pytest.raises(edits.VersionConflict):
        edits.edit(incident_id=incident.pk, actor=sam, changes={"title": "Two"}, version=1)


def test_a_conflict_says_who_changed_what(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    edits.edit(incident_id=incident.pk, actor=sam, changes={"severity": "low"})

    with pytest.raises(edits.VersionConflict) as conflict:
        edits.edit(incident_id=incident.pk, actor=sam, changes={"title": "Two"}, version=1)

    assert str(conflict.value) == ("INC-1 was changed meanwhile by sam: severity from high to low.")


def test_correct_times_keeps_the_old_ones_and_why(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    earlier = incident.started_at - timedelta(minutes=10)

    after = edits.correct_times(
        incident_id=incident.pk, actor=sam, reason="The first error was then.", started_at=earlier
    )

    change = incident.field_changes.get()
    assert (after.started_at, after.version) == (earlier, 2)
    assert (change.field, change.reason) == ("started_at", "The first error was then.")
    assert [datetime.fromisoformat(text) for text in (change.old, change.new)] == [
        incident.started_at,
        earlier,
    ]


def test_correct_times_asks_for_a_reason(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()

    with pytest.raises(edits.EditRefused) as refused:
        edits.correct_times(
            incident_id=incident.pk, actor=sam, reason=" ", acknowledged_at=timezone.now()
        )

    assert set(refused.value.errors) == {"reason"}


def test_correct_times_refuses_what_is_out_of_order(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()

    with pytest.raises(edits.EditRefused) as refused:
        edits.correct_times(
            incident_id=incident.pk,
            actor=sam,
            reason="So I was told.",
            started_at=incident.detected_at + timedelta(seconds=1),
        )

    assert set(refused.value.errors) == {"started_at"}
    assert incident.field_changes.count() == 0


@pytest.mark.parametrize(
    "changes", [{"title": "Another"}, {"started_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_a_sealed_incident_is_not_edited(
    make_incident: MakeIncident, sam: User, changes: dict[str, object]
) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=sam)

    with pytest.raises(edits.Sealed) as refused:
        edits.edit(incident_id=incident.pk, actor=sam, changes=changes, reason="Wrong.")

    assert "reopen it to change it" in str(refused.value)


def test_the_same_again_changes_nothing_even_sealed(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=sam, resolution="Rolled back.")

    after = edits.edit(incident_id=incident.pk, actor=sam, changes={"resolution": "Rolled back."})

    assert after.version == 2


def test_services_change_with_their_levels(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    checkout, cart, redis = (make_service(slug) for slug in ("checkout", "cart", "redis"))
    incident = make_incident(services=[checkout, cart])

    edits.edit(
        incident_id=incident.pk,
        actor=sam,
        changes={},
        services={cart: "primary", redis: "tertiary"},
    )

    levels = {row.service.slug: row.impact for row in incident.affected.all()}
    recorded = {change.field: (change.old, change.new) for change in incident.field_changes.all()}
    assert levels == {"cart": "primary", "redis": "tertiary"}
    assert recorded == {
        "services": (["cart", "checkout"], ["cart", "redis"]),
        "impact_levels": ({"cart": "secondary"}, {"cart": "primary"}),
    }


def test_services_by_slug_keep_their_levels(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    checkout, cart, redis = (make_service(slug) for slug in ("checkout", "cart", "redis"))
    incident = make_incident(services=[checkout, cart])

    after = edits.edit(
        incident_id=incident.pk, actor=sam, changes={}, services=[cart, checkout, redis]
    )

    levels = {row.service.slug: row.impact for row in incident.affected.all()}
    assert levels == {"checkout": "primary", "cart": "secondary", "redis": "secondary"}
    assert after.version == 2
