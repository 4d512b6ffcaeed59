"""The API of what people do to an incident: every act on a version, every refusal in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from incidents import lifecycle
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident, MakeService, make_person


def post(api: APIClient, path: str, body: dict[str, Any], etag: str = "*") -> Any:
    return api.post(f"/api/incidents/{path}", body, format="json", headers={"If-Match": etag})


def test_close_as_a_drill(api: APIClient, make_incident: MakeIncident) -> None:
    make_incident()

    answer = post(api, "INC-1/close", {"as": "drill", "reason": "Game day."})

    body = answer.json()
    assert answer.status_code == 200
    assert (body["status"], body["closed_as"], body["duplicate_of"]) == ("resolved", "drill", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "No."}, "as"),
        ({"as": "boring", "reason": "No."}, "as"),
        ({"as": "drill"}, "reason"),
        ({"as": "duplicate", "duplicate_of": "INC-77"}, "duplicate_of"),
        ({"as": "duplicate", "duplicate_of": "INC-1"}, "duplicate_of"),
        ({"as": "drill", "reason": "x", "duplicate_of": "INC-1"}, "duplicate_of"),
    ],
)
def test_close_refuses_by_field(
    api: APIClient, make_incident: MakeIncident, body: dict[str, str], field: str
) -> None:
    make_incident()

    answer = post(api, "INC-1/close", body)

    assert (answer.status_code, set(answer.json()["errors"])) == (400, {field})


def test_close_as_a_duplicate_of_an_open_one(api: APIClient, make_incident: MakeIncident) -> None:
    make_incident()
    make_incident("Cart fails")

    answer = post(api, "INC-2/close", {"as": "duplicate", "duplicate_of": "INC-1"})

    assert (answer.json()["merged_into"], answer.json()["closed_as"]) == ("INC-1", "duplicate")


def test_archive_and_find_it_again(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident("Checkout fails")
    make_incident("Cart fails")
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    archived = post(api, "INC-1/archive", {})

    found = {
        query: [row["reference"] for row in api.get(f"/api/incidents?{query}").json()["results"]]
        for query in ("archived=true", "archived=false", "q=checkout", "status=resolved")
    }
    assert archived.json()["archived_at"] is not None
    assert found == {
        "archived=true": ["INC-1"],
        "archived=false": ["INC-2"],
        "q=checkout": ["INC-1"],
        "status=resolved": ["INC-1"],
    }


def test_archive_of_an_open_incident_is_refused(
    api: APIClient, make_incident: MakeIncident
) -> None:
    make_incident()

    answer = post(api, "INC-1/archive", {})

    assert (answer.status_code, answer.json()["type"]) == (409, "transition-refused")


def test_patch_corrects_times_with_a_reason(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()
    earlier = (incident.started_at - timedelta(minutes=5)).isoformat()
    path = "/api/incidents/INC-1"

    without = api.patch(path, {"started_at": earlier}, format="json")
    corrected = api.patch(
        path, {"started_at": earlier, "reason": "As the graphs show."}, format="json"
    )

    assert (without.status_code, set(without.json()["errors"])) == (400, {"reason"})
    assert (corrected.status_code, corrected.json()["ttd_seconds"] >= 300) == (200, True)


def test_patch_of_a_sealed_incident_says_to_reopen_it(
    api: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    answer = api.patch("/api/incidents/INC-1", {"title": "Another"}, format="json")

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "sealed")
    assert "reopen it to change it" in problem["detail"]
    assert problem["sealed_at"] is not None


def test_patch_sets_services_with_levels_in_the_incidents_environment(
    api: APIClient, make_incident: MakeIncident, make_service: MakeService
) -> None:
    make_service("cart")
    cart = make_service("cart", environment="staging")
    redis = make_service("redis", environment="staging")
    make_incident(services=[cart], environment="staging")

    answer = api.patch(
        "/api/incidents/INC-1",
        {
            "services": [
                {"service": "redis", "impact": "primary"},
                {"service": "cart", "impact": "tertiary"},
            ]
        },
        format="json",
    )

    levels = {row.service: row.impact for row in Incident.objects.get().affected.all()}
    assert answer.status_code == 200
    assert levels == {redis: "primary", cart: "tertiary"}


def test_roles_are_given_handed_over_and_ended(api: APIClient, make_incident: MakeIncident) -> None:
    make_incident()
    make_person("kim", Role.RESPONDER)

    first = post(api, "INC-1/roles", {"user": "sam", "role": "commander"})
    again = post(api, "INC-1/roles", {"user": "sam", "role": "commander"})
    second = post(api, "INC-1/roles", {"user": "kim", "role": "commander"})
    shown = api.get("/api/incidents/INC-1").json()["roles"]
    ended = post(api, f"INC-1/roles/{second.json()['id']}/end", {})

    listed = api.get("/api/incidents/INC-1/roles").json()["results"]
    assert (first.status_code, again.status_code, second.status_code) == (201, 200, 201)
    assert [(role["role"], role["user"]) for role in shown] == [("commander", "kim")]
    assert ended.json()["ended_by"] == "sam"
    assert [(role["user"], role["ended_at"] is not None) for role in listed] == [
        ("kim", True),
        ("sam", True),
    ]


def test_a_role_for_nobody_we_know_is_refused(api: APIClient, make_incident: MakeIncident) -> None:
    make_incident()

    answer = post(api, "INC-1/roles", {"user": "nobody", "role": "commander"})

    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"user"})


def test_tasks_are_made_moved_and_listed(api: APIClient, make_incident: MakeIncident) -> None:
    make_incident()

    made = post(api, "INC-1/tasks", {"title": "Raise the limit", "owner": "sam"})
    path = f"/api/incidents/INC-1/tasks/{made.json()['id']}"
    done = api.patch(path, {"state": "done"}, format="json", headers={"If-Match": made["ETag"]})
    stale = api.patch(path, {"title": "x"}, format="json", headers={"If-Match": made["ETag"]})
    refused = api.patch(path, {"state": "dropped"}, format="json")

    mine = api.get("/api/tasks?owner=me").json()["results"]
    unfinished = api.get("/api/tasks?unfinished=true").json()["results"]
    assert (made.status_code, done.json()["state"], done["ETag"]) == (201, "done", '"2"')
    assert (stale.status_code, stale.json()["version"]) == (412, 2)
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["open", "in_progress"])
    assert [(row["incident"], row["title"]) for row in mine] == [("INC-1", "Raise the limit")]
    assert unfinished == []


ACTS: list[tuple[str, dict[str, Any]]] = [
    ("acknowledge", {}),
    ("mitigate", {}),
    ("resolve", {}),
    ("reopen", {}),
    ("close", {"as": "drill", "reason": "Game day."}),
    ("archive", {}),
    ("merge", {"into": "INC-2"}),
    ("unmerge", {}),
    ("roles", {"user": "sam", "role": "scribe"}),
]


@pytest.mark.parametrize(("act", "body"), ACTS)
def test_every_act_refuses_a_version_that_is_no_more(
    api: APIClient, make_incident: MakeIncident, sam: User, act: str, body: dict[str, Any]
) -> None:
    incident = make_incident()
    make_incident("Cart fails")
    state = {"reopen": "resolved", "archive": "resolved", "unmerge": "merged"}.get(act)
    if state == "resolved":
        lifecycle.resolve(incident_id=incident.pk, actor=sam)
    elif state == "merged":
        post(api, "INC-1/merge", {"into": "INC-2"})
    else:
        api.patch("/api/incidents/INC-1", {"severity": "low"}, format="json")

    answer = post(api, f"INC-1/{act}", body, etag='"1"')

    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["version"]) == (412, "version-conflict", 2)
    assert problem["changed"]["by"] == "sam"
