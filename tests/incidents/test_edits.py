"""An edit keeps what stood there before, and does not overwrite another's."""

from __future__ import annotations

import pytest

from accounts.models import User
from incidents import edits
from tests.incidents.conftest import MakeIncident


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
