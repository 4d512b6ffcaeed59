"""Raw SQL on what is finished: reports that are written, postmortems that are published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Role, User
from incidents import lifecycle
from incidents.models import Incident
from timeline import triggers
from timeline.postmortems import drafts, editing, review
from timeline.postmortems.models import Postmortem, PostmortemStep
from timeline.receivers import install_triggers, lift_triggers
from timeline.reporting import writing
from timeline.reporting.models import IncidentReport

MakeIncident = Callable[..., Incident]
pytestmark = pytest.mark.django_db


def refused(said: str, sql: str) -> None:
    with (
        pytest.raises(IntegrityError, match=said),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def execute(sql: str) -> int:
    with connection.cursor() as cursor:
        return cursor.execute(sql).rowcount


@pytest.fixture
def report(make_incident: MakeIncident) -> IncidentReport:
    incident = lifecycle.resolve(incident_id=make_incident().pk, actor=None)
    Incident.objects.filter(pk=incident.pk).update(analysis_status="done")
    writing.run_waiting()
    return incident.reports.get()


@pytest.fixture
def postmortem(report: IncidentReport) -> Postmortem:
    """With an action; in review."""
    people = [
        User.objects.create(username=name, email=f"{name}@example.com", role=Role.RESPONDER)
        for name in ("sam", "kim")
    ]
    found = drafts.draft_now(incident=report.incident)
    editing.add_action(postmortem_id=found.pk, title="Alert on it", actor=people[0])
    review.request_review(postmortem_id=found.pk, actor=people[0])
    return review.approve(postmortem_id=found.pk, actor=people[1], comment="Fine")


@pytest.mark.parametrize("change", ["digest = 'x'", "state = 'waiting'", "data = '{}'"])
def test_written_report_refuses_changes(report: IncidentReport, change: str) -> None:
    refused("stays as it is", f"UPDATE timeline_incidentreport SET {change}")
    refused("stays as it is", "DELETE FROM timeline_incidentreport")

    assert report.state == IncidentReport.State.DONE


def test_nothing_takes_the_place_of_a_written_report(report: IncidentReport) -> None:
    other = IncidentReport(incident=report.incident, version=report.version, markdown="Other")

    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        other.save(force_insert=True)
    other.version += 1
    other.save(force_insert=True)

    assert execute("UPDATE timeline_incidentreport SET error = 'x' WHERE state = 'waiting'") == 1
    assert execute("DELETE FROM timeline_incidentreport WHERE state = 'waiting'") == 1


def test_published_postmortem_refuses_changes(postmortem: Postmortem) -> None:
    before = execute("UPDATE timeline_postmortemsection SET hint = 'x'")

    review.publish(postmortem_id=postmortem.pk, actor=None)

    assert before == postmortem.sections.count()
    refused("published postmortem", "UPDATE timeline_postmortem SET markdown = 'x'")
    refused("published postmortem", "UPDATE timeline_postmortem SET state = 'draft'")
    refused("published postmortem", "DELETE FROM timeline_postmortem")
    refused("section belongs", "UPDATE timeline_postmortemsection SET text = 'x'")
    refused("section belongs", "DELETE FROM timeline_postmortemsection")
    refused("action belongs", "UPDATE timeline_postmortemaction SET title = 'x'")
    refused("action belongs", "DELETE FROM timeline_postmortemaction")
    with pytest.raises(IntegrityError, match="action belongs"), transaction.atomic():
        postmortem.actions.create(title="Later")


def test_revision_after_a_published_one_can_be_written(postmortem: Postmortem) -> None:
    review.publish(postmortem_id=postmortem.pk, actor=None)

    made = drafts.revise(incident=postmortem.incident, actor=None)
    words = [editing.Words("summary", "Better", made.sections.get(name="summary").version)]
    (section,) = editing.write(postmortem_id=made.pk, words=words, actor=None)

    refused("published postmortem", "UPDATE timeline_postmortem SET updated_at = created_at")
    assert (section.shown, made.revision) == ("Better", postmortem.revision + 1)


def test_step_of_a_review_refuses_changes(postmortem: Postmortem) -> None:
    refused("stays on the record", "UPDATE timeline_postmortemstep SET comment = 'x'")
    refused("stays on the record", "DELETE FROM timeline_postmortemstep")

    acts = PostmortemStep.objects.values_list("act", flat=True)
    assert sorted(acts) == ["approved", "requested"]


def test_migrations_lift_and_install_what_reads_other_tables(postmortem: Postmortem) -> None:
    review.publish(postmortem_id=postmortem.pk, actor=None)

    class Sender:
        name = "timeline"

    told: dict[str, Any] = {"sender": Sender, "using": "default"}
    lift_triggers(**told)
    lifted = triggers.missing(connection)
    install_triggers(**told)

    assert bool(lifted) == (connection.vendor == "sqlite")
    assert triggers.missing(connection) == []
    refused("section belongs", "UPDATE timeline_postmortemsection SET text = 'x'")
