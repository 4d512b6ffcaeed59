"""The incidents API: shapes, refusals by name, paging, and no work left undone."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Role
from correlation.models import Analysis
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident, MakeService, make_person


def test_create_answers_201_and_queues_an_analysis(
    api: APIClient, make_service: MakeService
) -> None:
    make_service()

    answer = api.post(
        "/api/incidents",
        {"title": "Checkout fails", "severity": "critical", "service": "checkout"},
        format="json",
    )

    body = answer.json()
    assert answer.status_code == 201
    assert (body["reference"], body["status"], body["service"]) == ("INC-1", "open", "checkout")
    assert answer.headers["ETag"] == '"1"'
    assert Analysis.objects.get(incident=body["id"]).status == "queued"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"severity": "high"}, "title"),
        ({"title": "x", "severity": "terrible"}, "severity"),
        ({"title": "x", "severity": "high", "service": "nope"}, "service"),
        ({"title": "x", "severity": "high", "service_ids": ["checkout", "nope"]}, "service_ids.1"),
        ({"title": "x" * 301, "severity": "high"}, "title"),
        ({"title": "a\x00b", "severity": "high"}, "title"),
        ({"title": "x", "severity": "high", "service": 7}, "service"),
        (
            {"title": "x", "severity": "high", "service": "checkout", "service_ids": ["checkout"]},
            "service_ids",
        ),
    ],
)
def test_create_refuses_bad_input_by_field(
    api: APIClient, make_service: MakeService, body: dict[str, object], field: str
) -> None:
    make_service()

    answer = api.post("/api/incidents", body, format="json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field.split(".")[0] in {name.split(".")[0] for name in answer.json()["errors"]}
    assert Incident.objects.count() == 0


def test_create_of_a_duplicate_answers_the_survivor(
    api: APIClient, make_incident: MakeIncident
) -> None:
    first = make_incident("Checkout fails")
    body = {"title": "Checkout fails", "severity": "high", "service": "checkout"}

    again = api.post("/api/incidents", body, format="json")
    forced = api.post("/api/incidents", {**body, "allow_duplicate": True}, format="json")

    assert again.status_code == 200
    assert again.json()["id"] == str(first.pk)
    assert again.json()["deduplicated"] is True
    assert set(again.json()["similarity"]["parts"]) == {"service", "title", "time"}
    assert forced.status_code == 201


def test_retrieve_accepts_id_and_number(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()

    by_id = api.get(f"/api/incidents/{incident.pk}").json()
    by_number = api.get(f"/api/incidents/{incident.reference}").json()

    assert by_id == by_number
    assert by_id["business_impact"] is None


@pytest.mark.parametrize("reference", [str(uuid.UUID(int=1)), "INC-99", "nonsense"])
def test_retrieve_of_an_unknown_incident_is_404(api: APIClient, db: None, reference: str) -> None:
    answer = api.get(f"/api/incidents/{reference}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_forbidden_transition_is_409_with_the_allowed_ones(
    api: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    api.post(f"/api/incidents/{incident.pk}/resolve", {}, format="json")

    answer = api.post(f"/api/incidents/{incident.pk}/mitigate", {}, format="json")

    assert answer.status_code == 409
    assert answer.json()["type"] == "transition-refused"
    assert answer.json()["allowed"] == []


def test_acknowledging_twice_is_409(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()
    api.post(f"/api/incidents/{incident.pk}/acknowledge", {}, format="json")

    answer = api.post(f"/api/incidents/{incident.pk}/acknowledge", {}, format="json")

    assert answer.status_code == 409
    assert answer.json()["allowed"] == ["mitigated", "resolved"]


def test_patch_edits_and_moves_together(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()

    answer = api.patch(
        f"/api/incidents/{incident.pk}",
        {"status": "resolved", "root_cause": "A bad deploy.", "resolution": "Rolled back."},
        format="json",
    )

    body = answer.json()
    assert (body["status"], body["root_cause"], body["resolution"]) == (
        "resolved",
        "A bad deploy.",
        "Rolled back.",
    )
    assert body["mttr_seconds"] >= 0


def test_patch_refused_changes_nothing(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident("Old")
    api.post(f"/api/incidents/{incident.pk}/resolve", {}, format="json")

    answer = api.patch(
        f"/api/incidents/{incident.pk}", {"title": "New", "status": "mitigated"}, format="json"
    )

    assert answer.status_code == 409
    assert api.get(f"/api/incidents/{incident.pk}").json()["title"] == "Old"


def test_patch_with_a_stale_etag_is_412(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()
    api.patch(f"/api/incidents/{incident.pk}", {"title": "First"}, format="json")

    answer = api.patch(
        f"/api/incidents/{incident.pk}",
        {"title": "Second"},
        format="json",
        headers={"If-Match": '"1"'},
    )

    assert answer.status_code == 412
    assert answer.json()["version"] == 2


def test_viewer_may_read_and_not_write(viewer_api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()

    read = viewer_api.get(f"/api/incidents/{incident.pk}")
    write = viewer_api.post(f"/api/incidents/{incident.pk}/acknowledge", {}, format="json")

    assert (read.status_code, write.status_code) == (200, 403)


def test_list_is_newest_first_and_pages_by_cursor(
    api: APIClient, make_incident: MakeIncident
) -> None:
    for n in range(3):
        make_incident(f"Incident {n}")

    first = api.get("/api/incidents?limit=2").json()
    second = api.get(first["next"]).json()

    assert [i["number"] for i in first["results"]] == [3, 2]
    assert [i["number"] for i in second["results"]] == [1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=open", [3, 1]),
        ("status=resolved", [2]),
        ("open=true", [3, 1]),
        ("severity=critical", [3]),
        ("service=checkout", [3, 2, 1]),
        ("service=nope", []),
        ("q=third", [3]),
        ("q=INC-2", [2]),
    ],
)
def test_list_filters(
    api: APIClient, make_incident: MakeIncident, query: str, numbers: list[int]
) -> None:
    make_incident("first")
    second = make_incident("second")
    make_incident("third", severity="critical")
    api.post(f"/api/incidents/{second.pk}/resolve", {}, format="json")

    answer = api.get(f"/api/incidents?{query}")

    assert [i["number"] for i in answer.json()["results"]] == numbers


def test_list_refuses_an_unknown_filter_value(api: APIClient, db: None) -> None:
    answer = api.get("/api/incidents?status=sleeping")

    assert answer.status_code == 400
    assert "status" in answer.json()["errors"]


@pytest.mark.parametrize("rows", [1, 3])
def test_list_takes_the_same_queries_however_many_rows(
    api: APIClient,
    make_incident: MakeIncident,
    make_service: MakeService,
    django_assert_num_queries: DjangoAssertNumQueries,
    rows: int,
) -> None:
    extra = make_service("cart")
    for n in range(rows):
        incident = make_incident(f"Incident {n}")
        incident.affected.create(service=extra)

    with django_assert_num_queries(4):
        api.get("/api/incidents")


@pytest.mark.parametrize("path", ["services", "dependencies", "changes"])
@pytest.mark.parametrize("rows", [1, 3])
def test_catalogue_lists_take_one_query(
    api: APIClient,
    make_service: MakeService,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
    rows: int,
) -> None:
    hub = make_service("hub")
    for n in range(rows):
        service = make_service(f"service-{n}")
        service.calls.create(callee=hub)
        service.changes.create(kind="deploy", at=service.created_at, title="v2")

    with django_assert_num_queries(1):
        answer = api.get(f"/api/{path}")

    assert len(answer.json()["results"]) == rows + (path == "services")


def test_tasks_are_made_and_done(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()

    made = api.post(
        f"/api/incidents/{incident.pk}/tasks", {"title": "Page the DBA", "owner": "sam"}
    )
    done = api.patch(f"/api/incidents/{incident.pk}/tasks/{made.json()['id']}", {"state": "done"})

    assert made.status_code == 201
    assert done.json()["state"] == "done"


def test_services_are_managed_by_admins_only(api: APIClient, db: None) -> None:
    answer = api.post("/api/services", {"slug": "new", "name": "New"}, format="json")

    assert answer.status_code == 403


def test_service_says_how_its_active_users_are_counted(api: APIClient, db: None) -> None:
    api.force_authenticate(make_person("ada", Role.ADMIN))
    given = {"slug": "new", "name": "New", "users_query": "sum(sessions_active)"}

    made = api.post("/api/services", given, format="json")
    long = api.patch(
        f"/api/services/{made.json()['id']}", {"users_query": "x" * 2001}, format="json"
    )

    assert (made.status_code, made.json()["users_query"]) == (201, "sum(sessions_active)")
    assert (long.status_code, list(long.json()["errors"])) == (400, ["users_query"])


def test_unknown_api_path_is_a_problem(api: APIClient, db: None) -> None:
    answer = api.get("/api/nothing")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
