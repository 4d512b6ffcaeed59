from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Role, User
from tests.timeline.postmortems.conftest import Drafted, MakeIncident, MakeUser


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def api(sam: User) -> APIClient:
    return client_of(sam)


def address(postmortem: object, rest: str = "") -> str:
    return f"/api/incidents/{postmortem.incident.reference}/postmortem{rest}"  # type: ignore[attr-defined]


def test_postmortem_is_read_with_its_sections(api: APIClient, drafted: Drafted) -> None:
    answer = api.get(address(drafted())).json()

    assert (answer["revision"], answer["state"], answer["sections"][0]["name"]) == (
        1, "draft", "summary",
    )  # fmt: skip
    assert answer["sections"][0]["is_draft"] is True
    assert answer["sections"][0]["html"].startswith("<p>On ")


def test_section_is_written_by_its_version(api: APIClient, drafted: Drafted) -> None:
    postmortem = drafted()

    answer = api.put(
        address(postmortem), {"sections": {"impact": {"text": "**Much.**", "version": 1}}}, "json"
    ).json()

    impact = next(one for one in answer["sections"] if one["name"] == "impact")
    assert (impact["text"], impact["html"], impact["version"], impact["edited_by"]) == (
        "**Much.**", "<p><strong>Much.</strong></p>\n", 2, "sam",
    )  # fmt: skip


def test_stale_version_is_a_conflict_with_both_texts(
    api: APIClient, drafted: Drafted, ana: User
) -> None:
    postmortem = drafted()
    theirs = {"sections": {"impact": {"text": "theirs", "version": 1}}}
    client_of(ana).put(address(postmortem), theirs, "json")

    answer = api.put(
        address(postmortem), {"sections": {"impact": {"text": "mine", "version": 1}}}, "json"
    )

    told = answer.json()
    assert (answer.status_code, told["type"], told["yours"]) == (412, "section-conflict", "mine")
    assert (told["section"]["text"], told["section"]["edited_by"]) == ("theirs", "ana")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sections": {"impact": {"text": "x"}}}, "sections.impact.version"),
        ({"sections": {}}, "sections"),
        ({"sections": {"nope": {"text": "x", "version": 1}}}, "sections"),
    ],
)
def test_bad_words_are_refused_by_name(
    api: APIClient, drafted: Drafted, body: object, field: str
) -> None:
    answer = api.put(address(drafted()), body, "json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_script_in_a_section_is_text(api: APIClient, drafted: Drafted) -> None:
    text = "<script>alert(1)</script> [x](javascript:alert(1))"

    answer = api.put(
        address(drafted()), {"sections": {"impact": {"text": text, "version": 1}}}, "json"
    ).json()

    impact = next(one for one in answer["sections"] if one["name"] == "impact")
    assert "<script" not in impact["html"]
    assert "javascript:" not in impact["html"].replace("[x](javascript:alert(1))", "")


def test_whole_way_to_publication(api: APIClient, drafted: Drafted, ana: User) -> None:
    postmortem = drafted()

    early = api.post(address(postmortem, "/publish"))
    asked = api.post(address(postmortem, "/request-review"))
    own = api.post(address(postmortem, "/approve"), {"comment": "fine"}, "json")
    approved = client_of(ana).post(address(postmortem, "/approve"), {"comment": "fine"}, "json")
    published = api.post(address(postmortem, "/publish"))
    late = api.put(
        address(postmortem), {"sections": {"impact": {"text": "x", "version": 1}}}, "json"
    )

    assert [r.status_code for r in (early, asked, own, approved, published, late)] == [
        409, 200, 409, 200, 200, 409,
    ]  # fmt: skip
    assert (late.json()["type"], published.json()["state"]) == ("postmortem-published", "published")
    text = api.get(address(postmortem, ".md"))
    assert text["X-Postmortem-Digest"] == f"sha256:{published.json()['digest']}"


def test_action_items_are_added_and_become_tasks(api: APIClient, drafted: Drafted) -> None:
    postmortem = drafted()

    made = api.post(address(postmortem, "/actions"), {"title": "Write a runbook"}, "json")
    acted = api.post(address(postmortem, f"/actions/{made.json()['id']}/task"))

    tasks = api.get(f"/api/incidents/{postmortem.incident.reference}/tasks").json()["results"]
    assert (made.status_code, [task["title"] for task in tasks]) == (201, ["Write a runbook"])
    assert acted.json()["task"] == tasks[0]["id"]


def test_viewers_read_and_do_not_write(drafted: Drafted, make_user: MakeUser) -> None:
    postmortem = drafted()
    vera = client_of(make_user("vera", Role.VIEWER))

    statuses = [
        vera.get(address(postmortem)).status_code,
        vera.put(address(postmortem), {"sections": {}}, "json").status_code,
        vera.post(address(postmortem, "/publish")).status_code,
        vera.post(address(postmortem, "/actions"), {"title": "x"}, "json").status_code,
    ]

    assert statuses == [200, 403, 403, 403]


def test_open_incident_has_none(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()

    read = api.get(f"/api/incidents/{incident.reference}/postmortem")
    asked = api.post(f"/api/incidents/{incident.reference}/postmortem")

    assert (read.status_code, asked.status_code, asked.json()["type"]) == (
        404, 409, "not-resolved",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Second", "First"]),
        ("?state=draft", ["Second", "First"]),
        ("?state=published", []),
        ("?q=first", ["First"]),
        ("?q=INC-2", ["Second"]),
        ("?q=began+in+production:+Second", ["Second"]),
    ],
)
def test_list_is_filtered_by_state_and_words(
    api: APIClient, drafted: Drafted, query: str, found: list[str]
) -> None:
    drafted("First")
    drafted("Second")

    rows = api.get(f"/api/postmortems{query}").json()["results"]

    assert [row["title"] for row in rows] == found


def test_unknown_state_is_refused_by_name(api: APIClient) -> None:
    answer = api.get("/api/postmortems?state=lost")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["state"])


@pytest.mark.parametrize("path", ["/api/postmortems", "/postmortems"])
def test_list_asks_as_much_for_three_as_for_one(
    client: Client, sam: User, drafted: Drafted, django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:  # fmt: skip
    client.force_login(sam)
    drafted("one")
    client.get(path)
    with django_assert_num_queries(3) as first:
        client.get(path)
    for title in ("two", "three"):
        drafted(title)

    with django_assert_num_queries(len(first)):
        client.get(path)
