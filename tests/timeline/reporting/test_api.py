from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from incidents import lifecycle
from tests.timeline.reporting.conftest import MakeIncident, written

MakeUser = Callable[..., User]


@pytest.fixture
def api(db: None, make_user: MakeUser) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user("sam"))
    return client


def test_report_of_a_running_incident_is_a_draft(
    api: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()

    answer = api.get(f"/api/incidents/{incident.reference}/report.json").json()
    text = api.get(f"/api/incidents/{incident.reference}/report.md")

    assert (answer["draft"], answer["state"], answer["versions"]) == (True, "draft", [])
    assert text["X-Report-State"] == "draft"
    assert "**Draft**" in text.content.decode()


def test_written_report_is_served_as_it_is_stored(
    api: APIClient, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()
    report = written(incident)

    answer = api.get(f"/api/incidents/{incident.pk}/report.json").json()
    text = api.get(f"/api/incidents/{incident.pk}/report.md")

    assert (answer["draft"], answer["state"], answer["version"]) == (False, "done", 1)
    assert answer["sections"] == report.data["sections"]
    assert text.content.decode() == report.markdown
    assert text["Content-Type"] == "text/markdown; charset=utf-8"
    assert text["X-Report-Digest"] == f"sha256:{report.digest}"


def test_earlier_version_is_asked_for_by_its_number(
    api: APIClient, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()
    first = written(incident)
    lifecycle.reopen(incident_id=incident.pk, actor=None)
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    written(incident)

    answer = api.get(f"/api/incidents/{incident.pk}/report.json?version=1").json()

    assert (answer["version"], answer["versions"]) == (1, [2, 1])
    assert answer["root_digest"] == first.root_digest


@pytest.mark.parametrize(("query", "status"), [("version=7", 404), ("version=x", 400)])
def test_version_that_is_not_there_is_refused(
    api: APIClient, make_resolved: MakeIncident, query: str, status: int
) -> None:
    incident = make_resolved()

    assert api.get(f"/api/incidents/{incident.pk}/report.json?{query}").status_code == status


def test_report_being_written_is_a_draft_that_says_so(
    api: APIClient, make_resolved: MakeIncident
) -> None:
    incident = make_resolved()

    answer = api.get(f"/api/incidents/{incident.pk}/report.json").json()

    assert (answer["draft"], answer["state"]) == (True, "waiting")


def test_new_version_is_asked_for_by_responders(
    api: APIClient, make_resolved: MakeIncident, make_user: MakeUser
) -> None:
    incident = make_resolved()
    written(incident)
    reader = APIClient()
    reader.force_authenticate(make_user("vera", Role.VIEWER))

    refused = reader.post(f"/api/incidents/{incident.pk}/reports")
    answer = api.post(f"/api/incidents/{incident.pk}/reports")

    assert refused.status_code == 403
    assert (answer.status_code, answer.json()["version"], answer.json()["state"]) == (
        202, 2, "waiting",
    )  # fmt: skip


def test_running_incident_has_no_report_to_ask_for(
    api: APIClient, make_incident: MakeIncident
) -> None:
    answer = api.post(f"/api/incidents/{make_incident().pk}/reports")

    assert (answer.status_code, answer.json()["type"]) == (409, "not-resolved")
