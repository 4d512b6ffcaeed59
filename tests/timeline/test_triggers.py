"""Raw SQL, because the ORM is not who the triggers are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from incidents import lifecycle
from incidents.models import Incident
from timeline import triggers
from timeline.checks import check_triggers
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.record import record

pytestmark = pytest.mark.django_db


def refused(said: str, action: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError, match=said), transaction.atomic():
        action()


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def copy_of(event: TimelineEvent, **changes: Any) -> TimelineEvent:
    values = {f.attname: getattr(event, f.attname) for f in TimelineEvent._meta.concrete_fields}
    return TimelineEvent(**{**values, "id": uuid4(), **changes})


def test_events_refuse_update_and_delete(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()

    refused("append-only", lambda: execute("UPDATE timeline_timelineevent SET title = 'x'"))
    refused("append-only", lambda: execute("DELETE FROM timeline_timelineevent"))
    refused("append-only", lambda: incident.timeline.update(title="x"))

    assert incident.timeline.get().kind == Kind.INCIDENT_CREATED


def test_events_refuse_truncate(make_incident: Callable[..., Incident]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    incident = make_incident()

    # pending constraint triggers would refuse it first
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    refused("append-only", lambda: execute("TRUNCATE timeline_timelineevent CASCADE"))

    assert incident.timeline.count() == 1


def test_insert_must_follow_the_last_event(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()
    first = incident.timeline.get()
    follows = {"seq": 2, "previous": first.digest, "kind": Kind.NOTE}

    refused("seq must follow", lambda: copy_of(first, **{**follows, "seq": 3}).save())
    refused("seq must follow", lambda: copy_of(first, **{**follows, "seq": 1}).save())
    refused("must be the digest", lambda: copy_of(first, **{**follows, "previous": ""}).save())
    copy_of(first, **follows).save(force_insert=True)

    assert incident.timeline.count() == 2


def test_first_event_follows_nothing(make_incident: Callable[..., Incident]) -> None:
    first = make_incident().timeline.get()
    empty = Incident.objects.create(
        number=9000,
        title="x",
        severity="low",
        started_at=first.occurred_at,
        detected_at=first.occurred_at,
    )
    draft = {"incident_id": empty.pk, "seq": 1}

    refused("must be the digest", lambda: copy_of(first, **draft, previous="a" * 64).save())
    copy_of(first, **draft, previous="").save(force_insert=True)

    assert empty.timeline.count() == 1


def test_insert_never_replaces_an_event(make_incident: Callable[..., Incident]) -> None:
    first = make_incident().timeline.get()
    again = copy_of(first, id=first.pk, seq=2, previous=first.digest)

    def replace() -> None:
        columns = [f.column for f in TimelineEvent._meta.concrete_fields]
        values = [
            f.get_db_prep_save(getattr(again, f.attname), connection)
            for f in TimelineEvent._meta.concrete_fields
        ]
        verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
        marks = ", ".join(["%s"] * len(columns))
        with connection.cursor() as cursor:
            cursor.execute(
                f"{verb} INTO timeline_timelineevent ({', '.join(columns)}) VALUES ({marks})",
                values,
            )

    refused("never replaced", replace)


def test_sealed_timeline_takes_only_a_reopening(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    last = incident.timeline.last()
    follows = {"seq": last.seq + 1, "previous": last.digest}

    refused("is sealed", lambda: copy_of(last, **follows, kind=Kind.NOTE).save())
    copy_of(last, **follows, kind=Kind.REOPENED).save(force_insert=True)

    assert incident.timeline.last().kind == Kind.REOPENED


def test_anchor_never_moves_back(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()
    record(incident_id=incident.pk, kind=Kind.NOTE, title="one")

    anchors = TimelineAnchor.objects.filter(incident=incident)
    refused("never moves back", lambda: anchors.update(length=1))
    refused("never moves back", lambda: execute("DELETE FROM timeline_timelineanchor"))

    assert anchors.get().length == 2


def test_check_names_the_triggers_that_are_missing() -> None:
    assert check_triggers(None, databases=["default"]) == []

    triggers.lift(connection)
    try:
        (warning,) = check_triggers(None, databases=["default"])
    finally:
        triggers.install(connection)

    assert warning.id == "timeline.W001"
    assert "timeline_event_update" in warning.msg
    assert check_triggers(None, databases=["default"]) == []


@pytest.mark.django_db(transaction=True)
def test_flush_empties_timelines_and_leaves_them_guarded(
    make_incident: Callable[..., Incident],
) -> None:
    make_incident()

    call_command("flush", interactive=False, verbosity=0)

    assert TimelineEvent.objects.count() == 0
    assert triggers.missing(connection) == []


@pytest.mark.django_db(transaction=True)
def test_triggers_come_back_after_a_table_was_rebuilt(
    make_incident: Callable[..., Incident],
) -> None:
    make_incident()
    wider = models.CharField(max_length=120, default="system")
    wider.set_attributes_from_name("source")
    field = TimelineEvent._meta.get_field("source")

    with connection.schema_editor() as editor:
        editor.alter_field(TimelineEvent, field, wider)
    with connection.schema_editor() as editor:
        editor.alter_field(TimelineEvent, wider, field)
    call_command("migrate", "timeline", verbosity=0)

    assert triggers.missing(connection) == []
    refused("append-only", lambda: execute("DELETE FROM timeline_timelineevent"))
