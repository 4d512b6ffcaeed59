from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from incidents import lifecycle
from tests.timeline.reporting.conftest import MakeIncident, written
from timeline.reporting.models import IncidentReport


@pytest.fixture
def page(db: None, client: Client, make_user: Callable[..., User]) -> Client:
    client.force_login(make_user("sam"))
    return client


def test_report_page_shows_the_stored_version_with_its_digests(
    page: Client, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()
    report = written(incident)

    shown = page.get(f"/incidents/{incident.reference}/report").content.decode()

    assert report.root_digest in shown
    assert report.digest in shown
    assert "Draft so far" not in shown


def test_report_page_of_a_running_incident_is_marked_as_draft(
    page: Client, make_incident: MakeIncident
) -> None:
    shown = page.get(f"/incidents/{make_incident().reference}/report").content.decode()

    assert "Draft so far" in shown


def test_failed_report_says_why_and_can_be_tried_again(
    page: Client, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()
    IncidentReport.objects.update(state="failed", error="KeyError: 'x'", attempt=3)

    shown = page.get(f"/incidents/{incident.reference}/report").content.decode()
    page.post(f"/incidents/{incident.reference}/report/write")

    assert "KeyError: &#x27;x&#x27;" in shown
    assert list(incident.reports.order_by("version").values_list("state", flat=True)) == [
        "failed", "waiting",
    ]  # fmt: skip


def test_waiting_page_is_told_to_load_again_when_it_is_written(
    page: Client, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()
    address = f"/incidents/{incident.reference}/report/state"

    before = page.get(address)
    written(incident)
    after = page.get(address)

    assert (before.status_code, after.headers["HX-Refresh"]) == (204, "true")


def test_report_of_an_unwritten_incident_can_be_asked_for(
    page: Client, make_resolved: MakeIncident
) -> None:
    incident = make_resolved(source="backfill")

    shown = page.get(f"/incidents/{incident.reference}/report").content.decode()
    page.post(f"/incidents/{incident.reference}/report/write")

    assert "No report was asked for" in shown
    assert incident.reports.get().state == "waiting"


@pytest.mark.parametrize("query", ["version=9", "version=abc"])
def test_unknown_version_is_not_found(
    page: Client, make_resolved: MakeIncident, query: str
) -> None:
    incident = make_resolved()

    assert page.get(f"/incidents/{incident.reference}/report?{query}").status_code == 404


def test_incident_page_leads_to_its_report(page: Client, make_resolved: MakeIncident) -> None:
    incident = make_resolved()
    written(incident)

    shown = page.get(f"/incidents/{incident.reference}").content.decode()

    assert f'href="/incidents/{incident.reference}/report"' in shown


def test_incident_page_leads_to_the_draft_while_it_goes_on(
    page: Client, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()
    written(incident)
    lifecycle.reopen(incident_id=incident.pk, actor=None)

    shown = page.get(f"/incidents/{incident.reference}").content.decode()

    assert "Report so far" in shown
