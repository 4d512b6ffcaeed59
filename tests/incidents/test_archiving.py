"""What is over leaves the board, and stays everywhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from incidents import archiving, lifecycle
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident


def test_archive_by_hand_is_on_the_record(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=sam)

    archived = archiving.archive(incident_id=incident.pk, actor=sam, reason="Reviewed.")

    change = incident.field_changes.get()
    assert archived.archived_at == change.at
    assert (change.field, change.actor, change.reason) == ("archived_at", sam, "Reviewed.")


def test_archive_again_changes_nothing(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=sam)
    first = archiving.archive(incident_id=incident.pk, actor=sam)

    second = archiving.archive(incident_id=incident.pk, actor=sam)

    assert (second.archived_at, second.version) == (first.archived_at, first.version)


def test_an_open_incident_is_not_archived(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()

    with pytest.raises(lifecycle.TransitionRefused):
        archiving.archive(incident_id=incident.pk, actor=sam)


def test_reopening_brings_it_back(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=sam)
    archiving.archive(incident_id=incident.pk, actor=sam)

    again = lifecycle.reopen(incident_id=incident.pk, actor=sam)

    assert again.archived_at is None


def test_archive_due_takes_what_has_been_over_long_enough(
    make_incident: MakeIncident, sam: User, settings: Settings
) -> None:
    settings.ARCHIVE_AFTER_SECONDS = 3600
    old, young, running = (make_incident(title) for title in ("old", "young", "running"))
    for incident in (old, young):
        lifecycle.resolve(incident_id=incident.pk, actor=sam)
    long_ago = timezone.now() - timedelta(hours=2)
    Incident.objects.filter(pk=old.pk).update(started_at=long_ago, resolved_at=long_ago)

    count = archiving.archive_due()

    archived = Incident.objects.exclude(archived_at=None)
    assert (count, list(archived)) == (1, [old])
    assert running not in archived
