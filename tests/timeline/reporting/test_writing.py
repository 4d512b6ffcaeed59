"""What a report says, and that it never changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident, Service
from incidents.people import roles
from tests.timeline.reporting.conftest import MakeIncident, written
from timeline.models import Kind, TimelineAnchor
from timeline.record import record

MakeUser = Callable[..., User]
pytestmark = pytest.mark.django_db


def test_report_has_every_section_in_its_order(make_resolved: MakeIncident) -> None:
    report = written(make_resolved())

    assert [(part["name"], part["title"]) for part in report.data["sections"]] == [
        ("summary", "Summary"),
        ("metrics", "Metrics"),
        ("impact", "Impact"),
        ("cost", "Impact in figures"),
        ("root_cause", "Root cause"),
        ("evidence", "Evidence"),
        ("alerts", "Alerts"),
        ("people", "People"),
        ("tasks", "Tasks"),
        ("timeline", "Timeline"),
    ]


def part(data: dict, name: str) -> dict:  # type: ignore[type-arg]  # stored JSON
    return next(one["data"] for one in data["sections"] if one["name"] == name)


def test_report_carries_the_seal_it_was_written_from(make_resolved: MakeIncident) -> None:
    incident = make_resolved()

    report = written(incident)

    anchor = TimelineAnchor.objects.get(pk=incident.pk)
    assert (report.root_digest, report.sealed_at) == (anchor.root_digest, anchor.sealed_at)
    assert report.data["root_digest"] == anchor.root_digest
    assert report.data["events"] == anchor.length == len(part(report.data, "timeline")["events"])
    assert report.digest == hashlib.sha256(report.markdown.encode()).hexdigest()


def test_metrics_are_exact_and_say_their_formula(
    make_incident: MakeIncident, make_user: MakeUser
) -> None:
    sam = make_user()
    incident = make_incident(started_at=timezone.now() - timedelta(minutes=10))
    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    lifecycle.mitigate(incident_id=incident.pk, actor=sam)
    incident = lifecycle.resolve(incident_id=incident.pk, actor=sam)

    rows = part(written(incident).data, "metrics")["rows"]

    assert [(row["name"], row["formula"], row["seconds"]) for row in rows] == [
        ("TTD", "detected_at - started_at", incident.ttd_seconds),
        ("MTTA", "acknowledged_at - started_at", incident.mtta_seconds),
        ("TTM", "mitigated_at - started_at", incident.ttm_seconds),
        ("MTTR", "resolved_at - started_at", incident.mttr_seconds),
    ]


def test_impact_that_nobody_measured_is_unknown_and_not_zero(make_resolved: MakeIncident) -> None:
    report = written(make_resolved(services=("checkout",)))

    impact = part(report.data, "impact")
    assert (impact["known"], {row["value"] for row in impact["rows"]}) == (False, {None})
    assert (impact["services"][0]["users"], impact["services"][0]["revenue_per_hour"]) == (
        None,
        None,
    )
    assert "unknown" in report.markdown


def test_impact_that_was_measured_is_told_with_its_formulas(make_resolved: MakeIncident) -> None:
    incident = make_resolved()
    Incident.objects.update(
        business_impact={
            "slos_breached": ["checkout availability"],
            "users_affected": 1200,
            "revenue_at_risk_per_hour": None,
            "formulas": ["users = 4,000 x 0.3"],
        }
    )

    impact = part(written(incident).data, "impact")

    assert {row["label"]: row["value"] for row in impact["rows"]} == {
        "SLOs breached": "checkout availability",
        "Error budget burned, percent": None,
        "Failed requests": None,
        "Users affected": "1,200",
        "Revenue at risk per hour": None,
        "Revenue at risk in all": None,
        "Severity by impact": None,
    }
    assert impact["formulas"] == ["users = 4,000 x 0.3"]


def test_summary_tells_what_people_recorded(
    make_resolved: MakeIncident, make_user: MakeUser
) -> None:
    report = written(
        make_resolved(
            by=make_user(),
            services=("checkout",),
            root_cause="A *bad* deploy",
            resolution="Rollback",
        )
    )

    summary = part(report.data, "summary")
    assert (summary["root_cause"], summary["resolution"]) == ("A *bad* deploy", "Rollback")
    assert summary["sentences"][0] == (
        "A high incident in production that affected checkout; opened by a person."
    )


def test_people_are_listed_with_what_they_did(
    make_incident: MakeIncident, make_user: MakeUser
) -> None:
    sam, ana = make_user("sam"), make_user("ana")
    incident = make_incident(actor=sam)
    lifecycle.acknowledge(incident_id=incident.pk, actor=ana)
    for title in ("one", "two"):
        record(incident_id=incident.pk, kind=Kind.NOTE, title=title, source="user", actor=sam)
    lifecycle.resolve(incident_id=incident.pk, actor=ana)

    people = part(written(incident).data, "people")["people"]

    assert [(one["username"], one["deeds"]) for one in people] == [
        ("sam", ["opened the incident", "wrote 2 notes"]),
        ("ana", ["acknowledged it", "resolved it"]),
    ]


def test_roles_are_listed_with_who_held_them(
    make_incident: MakeIncident, make_user: MakeUser
) -> None:
    sam = make_user("sam")
    incident = make_incident()
    roles.assign(incident_id=incident.pk, user=sam, role="commander", actor=sam)
    lifecycle.resolve(incident_id=incident.pk, actor=sam)

    report = written(incident)

    held = part(report.data, "people")["roles"]
    assert [(one["role"], one["username"], one["until"]) for one in held] == [
        ("commander", "sam", None),
    ]
    assert "| commander | sam |" in report.markdown


def test_correction_is_shown_beside_what_it_corrects(make_incident: MakeIncident) -> None:
    incident = make_incident()
    wrong = record(incident_id=incident.pk, kind=Kind.NOTE, title="at 10", source="user")
    record(
        incident_id=incident.pk, kind=Kind.CORRECTION, title="at 11", source="user", corrects=wrong
    )
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    report = written(incident)

    events = {event["seq"]: event for event in part(report.data, "timeline")["events"]}
    assert (events[2]["corrected_by"], events[3]["corrects"]) == ([3], 2)
    assert "~~at 10~~ (corrected by 3)" in report.markdown


def test_report_stays_as_it_was_written(make_resolved: MakeIncident) -> None:
    incident = make_resolved("Checkout errors")
    before = written(incident)
    Incident.objects.filter(pk=incident.pk).update(title="Something else")
    Service.objects.update(users=5)

    after = incident.reports.get()

    assert (after.markdown, after.data) == (before.markdown, before.data)


def test_markup_in_titles_is_text_in_the_file(make_resolved: MakeIncident) -> None:
    report = written(make_resolved("<b>*Checkout*</b> [x](http://evil.example) | y"))

    assert r"\<b\>\*Checkout\*\</b\> \[x\](http://evil.example) \| y" in report.markdown


def test_data_is_json_with_moments_in_utc(make_resolved: MakeIncident) -> None:
    incident = make_resolved()

    data = written(incident).data

    assert json.loads(json.dumps(data)) == data
    assert data["incident"]["started_at"] == f"{incident.started_at:%Y-%m-%dT%H:%M:%S.%fZ}"
