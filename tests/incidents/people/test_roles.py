"""One commander at a time, and everybody's role on the record."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Role, User
from incidents import edits, lifecycle, signals
from incidents.models import Incident, IncidentRole
from incidents.people import roles
from tests.incidents.conftest import MakeIncident, make_person


@pytest.fixture
def kim(db: None) -> User:
    return make_person("kim", Role.RESPONDER)


def held(incident: Incident) -> list[tuple[str, str]]:
    return [(row.role, row.user.username) for row in roles.held(incident)]


def test_the_commander_hands_over_in_one_act(
    make_incident: MakeIncident, sam: User, kim: User
) -> None:
    incident = make_incident()
    first, _new = roles.assign(incident_id=incident.pk, user=sam, role="commander", actor=sam)

    second, new = roles.assign(incident_id=incident.pk, user=kim, role="commander", actor=sam)

    first.refresh_from_db()
    assert (held(incident), new) == ([("commander", "kim")], True)
    assert (first.ended_at, first.ended_by) == (second.assigned_at, sam)
    assert Incident.objects.get(pk=incident.pk).version == 3


def test_the_database_refuses_a_second_commander(
    make_incident: MakeIncident, sam: User, kim: User
) -> None:
    incident = make_incident()
    roles.assign(incident_id=incident.pk, user=sam, role="commander", actor=sam)

    with pytest.raises(IntegrityError), transaction.atomic():
        IncidentRole.objects.create(incident=incident, user=kim, role="commander")


def test_a_role_that_is_held_is_not_given_twice(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    first, _new = roles.assign(incident_id=incident.pk, user=sam, role="scribe", actor=sam)

    again, new = roles.assign(incident_id=incident.pk, user=sam, role="scribe", actor=sam)

    assert (again, new) == (first, False)


def test_several_respond_in_the_order_they_came(
    make_incident: MakeIncident, sam: User, kim: User
) -> None:
    incident = make_incident()
    for user, role in ((kim, "responder"), (sam, "responder"), (sam, "commander")):
        roles.assign(incident_id=incident.pk, user=user, role=role, actor=sam)

    assert held(incident) == [("commander", "sam"), ("responder", "kim"), ("responder", "sam")]


def test_a_viewer_holds_no_role(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    vera = make_person("vera", Role.VIEWER)

    with pytest.raises(edits.EditRefused) as refused:
        roles.assign(incident_id=incident.pk, user=vera, role="responder", actor=sam)

    assert set(refused.value.errors) == {"user"}


def test_a_role_ends_once(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    row, _new = roles.assign(incident_id=incident.pk, user=sam, role="scribe", actor=sam)
    roles.end(incident_id=incident.pk, role_id=row.pk, actor=sam)

    with pytest.raises(roles.RoleOver):
        roles.end(incident_id=incident.pk, role_id=row.pk, actor=sam)

    assert held(incident) == []


def test_roles_of_a_sealed_incident_stay(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    row, _new = roles.assign(incident_id=incident.pk, user=sam, role="scribe", actor=sam)
    lifecycle.resolve(incident_id=incident.pk, actor=sam)

    with pytest.raises(edits.Sealed):
        roles.end(incident_id=incident.pk, role_id=row.pk, actor=sam)


def test_held_as_of_shows_who_held_it_then(
    make_incident: MakeIncident, sam: User, kim: User
) -> None:
    incident = make_incident()
    roles.assign(incident_id=incident.pk, user=sam, role="commander", actor=sam)
    then = timezone.now()
    roles.assign(incident_id=incident.pk, user=kim, role="commander", actor=sam)

    before = [(row.role, row.user.username) for row in roles.held(incident, then)]

    assert before == [("commander", "sam")]


def test_handing_over_says_so_twice(make_incident: MakeIncident, sam: User, kim: User) -> None:
    incident = make_incident()
    roles.assign(incident_id=incident.pk, user=sam, role="commander", actor=sam)
    told: list[tuple[str, bool]] = []

    def listen(user: User, ended: bool, **kwargs: Any) -> None:
        told.append((user.username, ended))

    signals.role_changed.connect(listen)
    roles.assign(incident_id=incident.pk, user=kim, role="commander", actor=kim)
    signals.role_changed.disconnect(listen)

    titles = list(incident.timeline.filter(kind="role_changed").values_list("title", flat=True))
    assert told == [("sam", True), ("kim", False)]
    assert titles == [
        "sam is the commander",
        "sam is no longer the commander, by kim",
        "kim is the commander",
    ]
