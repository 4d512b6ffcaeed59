"""What was no failure of its own is closed as such, and can be a failure again."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from incidents import closing, edits, lifecycle
from incidents.merges.unmerging import unmerge
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident


@pytest.mark.parametrize("kind", ["duplicate", "false_positive", "drill"])
def test_close_as_resolves_and_keeps_kind_and_reason(
    make_incident: MakeIncident, sam: User, kind: str
) -> None:
    incident = make_incident()

    closed = closing.close_as(
        incident_id=incident.pk, closed_as=kind, actor=sam, reason="Game day."
    )

    step = incident.status_changes.last()
    assert step is not None
    assert (closed.status, closed.closed_as, closed.resolved_at) == ("resolved", kind, step.at)
    assert (step.closed_as, step.reason, step.actor) == (kind, "Game day.", sam)


def test_close_as_asks_for_a_reason(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()

    with pytest.raises(edits.EditRefused) as refused:
        closing.close_as(incident_id=incident.pk, closed_as="drill", actor=sam, reason=" ")

    assert set(refused.value.errors) == {"reason"}


def test_a_duplicate_of_an_open_incident_is_merged_into_it(
    make_incident: MakeIncident, sam: User
) -> None:
    original, double = make_incident(), make_incident("Cart fails")

    closed = closing.close_as(
        incident_id=double.pk, closed_as="duplicate", actor=sam, duplicate_of=original
    )

    assert (closed.merged_into, closed.closed_as, closed.status) == (original, "duplicate", "open")


def test_unmerging_a_duplicate_makes_it_a_failure_again(
    make_incident: MakeIncident, sam: User
) -> None:
    original, double = make_incident(), make_incident("Cart fails")
    closing.close_as(incident_id=double.pk, closed_as="duplicate", actor=sam, duplicate_of=original)

    unmerge(source_id=double.pk, actor=sam)

    double.refresh_from_db()
    assert (double.merged_into, double.closed_as) == (None, "")


def test_a_duplicate_of_a_resolved_incident_keeps_the_link(
    make_incident: MakeIncident, sam: User
) -> None:
    original, double = make_incident(), make_incident("Cart fails")
    lifecycle.resolve(incident_id=original.pk, actor=sam)

    closed = closing.close_as(
        incident_id=double.pk, closed_as="duplicate", actor=sam, duplicate_of=original
    )

    step = double.status_changes.last()
    assert (closed.merged_into, closed.duplicate_of, closed.status) == (None, original, "resolved")
    assert step is not None
    assert step.reason == f"A duplicate of {original.reference}."


def test_a_duplicate_of_a_duplicate_leads_to_the_original(
    make_incident: MakeIncident, sam: User
) -> None:
    original, second, third = make_incident(), make_incident("Two"), make_incident("Three")
    lifecycle.resolve(incident_id=original.pk, actor=sam)
    closing.close_as(incident_id=second.pk, closed_as="duplicate", actor=sam, duplicate_of=original)

    closed = closing.close_as(
        incident_id=third.pk,
        closed_as="duplicate",
        actor=sam,
        duplicate_of=Incident.objects.get(pk=second.pk),
    )

    assert closed.duplicate_of == original


def test_no_incident_is_a_duplicate_of_itself(make_incident: MakeIncident, sam: User) -> None:
    original, double = make_incident(), make_incident("Cart fails")
    lifecycle.resolve(incident_id=original.pk, actor=sam)
    closing.close_as(incident_id=double.pk, closed_as="duplicate", actor=sam, duplicate_of=original)
    lifecycle.reopen(incident_id=original.pk, actor=sam, reason="It is back.")

    with pytest.raises(edits.EditRefused) as refused:
        closing.close_as(
            incident_id=original.pk,
            closed_as="duplicate",
            actor=sam,
            duplicate_of=Incident.objects.get(pk=double.pk),
        )

    assert set(refused.value.errors) == {"duplicate_of"}


def test_reopening_makes_it_a_failure_again(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    closing.close_as(
        incident_id=incident.pk, closed_as="false_positive", actor=sam, reason="A bad probe."
    )

    again = lifecycle.reopen(incident_id=incident.pk, actor=sam, reason="It was real.")

    kinds = list(incident.status_changes.values_list("closed_as", flat=True))
    assert (again.closed_as, kinds) == ("", ["", "false_positive", ""])


def test_a_stale_version_closes_nothing(make_incident: MakeIncident, sam: User) -> None:
    original, double = make_incident(), make_incident("Cart fails")
    edits.edit(incident_id=double.pk, actor=sam, changes={"title": "Cart is slow"})

    with pytest.raises(edits.VersionConflict):
        closing.close_as(
            incident_id=double.pk,
            closed_as="duplicate",
            actor=sam,
            duplicate_of=original,
            version=1,
        )

    assert Incident.objects.get(pk=double.pk).merged_into is None


def test_the_database_refuses_an_open_incident_closed_as_a_drill(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()

    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(closed_as="drill")
