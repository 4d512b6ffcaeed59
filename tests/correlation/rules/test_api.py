"""/api/correlation-rules: who may do what, what is refused by field, dry run and history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Role, User
from correlation.models import CorrelationRule
from correlation.rules.pack import shipped_rules

pytestmark = pytest.mark.django_db

RULES = "/api/correlation-rules"
MINE: dict[str, Any] = {
    "kind": "gremlins", "title": "{service}: gremlins", "any": [{"feature": "own_errors"}],
}  # fmt: skip


@pytest.fixture
def as_role() -> Callable[[Role], APIClient]:
    def client(role: Role) -> APIClient:
        found = APIClient()
        found.force_authenticate(
            User.objects.create(username=role, email=f"{role}@example.com", role=role)
        )
        return found

    return client


@pytest.fixture
def admin(as_role: Callable[[Role], APIClient]) -> APIClient:
    return as_role(Role.ADMIN)


def test_create_answers_the_rule_and_its_name_is_its_address(admin: APIClient) -> None:
    made = admin.post(RULES, {"name": "mine", "definition": MINE}, format="json")
    read = admin.get(f"{RULES}/mine")

    assert made.status_code == 201
    assert made.headers["Location"] == f"http://testserver{RULES}/mine"
    assert (read.headers["ETag"], read.json()) == ('"1"', made.json())
    assert {**read.json(), "updated_at": None} == {
        "name": "mine", "origin": "user", "enabled": True, "priority": 100, "kind": "gremlins",
        "title": "{service}: gremlins", "definition": MINE, "problem": "", "version": 1,
        "updated_at": None, "updated_by": "admin",
    }  # fmt: skip


def test_list_holds_shipped_and_own_rules_in_order(admin: APIClient) -> None:
    CorrelationRule.objects.create(name="mine", definition=MINE)

    listed = admin.get(RULES).json()

    assert (listed["next"], listed["previous"]) == (None, None)
    assert [one["name"] for one in listed["results"][:2]] == ["mine", "bad-deploy"]
    assert len(listed["results"]) == len(shipped_rules()) + 1
    assert admin.get("/api/rules").json() == listed


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_queries_for_any_number_of_rules(
    admin: APIClient, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for n in range(count):
        CorrelationRule.objects.create(name=f"mine-{n}", definition=MINE)

    with django_assert_num_queries(1):
        admin.get(RULES)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "mine"}, "definition"),
        ({"name": "mine", "definition": None}, "definition"),
        ({"name": "mine", "definition": []}, "definition"),
        ({"name": "No", "definition": MINE}, "name"),
        ({"name": "a b", "definition": MINE}, "name"),
        ({"name": "mine", "definition": {**MINE, "any": [{"log": "("}]}}, "definition.any.0.log"),
        ({"name": "mine", "definition": {**MINE, "boost": 3}}, "definition.boost"),
        ({"name": "mine", "definition": MINE, "priority": 0}, "priority"),
    ],
)
def test_what_is_wrong_is_named_by_field(admin: APIClient, body: Any, field: str) -> None:
    answer = admin.post(RULES, body, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert CorrelationRule.objects.count() == 0


def test_a_taken_name_is_refused(admin: APIClient) -> None:
    admin.post(RULES, {"name": "mine", "definition": MINE}, format="json")

    answer = admin.post(RULES, {"name": "mine", "definition": MINE}, format="json")

    assert answer.json()["errors"] == {"name": ["There is a rule of this name already."]}


def test_patch_is_fenced_by_the_version(admin: APIClient) -> None:
    admin.post(RULES, {"name": "mine", "definition": MINE}, format="json")

    first = admin.patch(
        f"{RULES}/mine", {"priority": 5}, format="json", headers={"If-Match": '"1"'}
    )
    second = admin.patch(
        f"{RULES}/mine", {"priority": 6}, format="json", headers={"If-Match": '"1"'}
    )

    assert (first.status_code, first.headers["ETag"], first.json()["priority"]) == (200, '"2"', 5)
    assert (second.status_code, second.json()["type"], second.json()["version"]) == (
        412, "version-conflict", 2,
    )  # fmt: skip


def test_a_shipped_rule_can_be_disabled_overridden_and_restored(admin: APIClient) -> None:
    off = admin.patch(f"{RULES}/disk-full", {"enabled": False}, format="json").json()
    over = admin.patch(
        f"{RULES}/disk-full", {"enabled": True, "definition": MINE}, format="json"
    ).json()
    gone = admin.delete(f"{RULES}/disk-full")
    again = admin.get(f"{RULES}/disk-full").json()

    assert (off["origin"], off["enabled"], off["kind"]) == ("shipped", False, "disk_full")
    assert (over["origin"], over["kind"], over["version"]) == ("override", "gremlins", 2)
    assert gone.status_code == 204
    assert (again["origin"], again["kind"], again["version"]) == ("shipped", "disk_full", 0)
    assert admin.delete(f"{RULES}/disk-full").json()["type"] == "shipped-rule"
    assert [one["action"] for one in admin.get(f"{RULES}/disk-full/history").json()] == [
        "restored", "edited", "disabled",
    ]  # fmt: skip


def test_delete_removes_and_keeps_the_history(admin: APIClient) -> None:
    admin.post(RULES, {"name": "mine", "definition": MINE}, format="json")

    assert admin.delete(f"{RULES}/mine").status_code == 204
    assert admin.get(f"{RULES}/mine").status_code == 404
    told = admin.get(f"{RULES}/mine/history").json()
    assert [(one["action"], one["actor"]) for one in told] == [
        ("deleted", "admin"), ("created", "admin"),
    ]  # fmt: skip
    assert admin.get(f"{RULES}/nobody/history").status_code == 404
    assert admin.patch(f"{RULES}/nobody", {}, format="json").status_code == 404


def test_only_administrators_write_and_responders_try(
    as_role: Callable[[Role], APIClient],
) -> None:
    body = {"name": "mine", "definition": MINE}
    viewer, responder = as_role(Role.VIEWER), as_role(Role.RESPONDER)

    assert viewer.get(RULES).status_code == 200
    assert viewer.post(f"{RULES}/dry-run", body, format="json").status_code == 403
    assert responder.post(RULES, body, format="json").status_code == 403
    assert responder.patch(f"{RULES}/disk-full", body, format="json").status_code == 403
    assert responder.delete(f"{RULES}/disk-full").status_code == 403
    assert responder.post(f"{RULES}/dry-run", body, format="json").json() == {
        "tried": 0, "changed": 0, "not_replayable": 0, "left_out": 0, "results": [],
    }  # fmt: skip


def test_dry_run_refuses_what_is_no_rule(admin: APIClient) -> None:
    body = {"name": "mine", "definition": {**MINE, "cap": 2}, "limit": 90}

    bounds = admin.post(f"{RULES}/dry-run", body, format="json")
    rule = admin.post(f"{RULES}/dry-run", {**body, "limit": 5}, format="json")

    assert list(bounds.json()["errors"]) == ["limit"]
    assert list(rule.json()["errors"]) == ["definition.cap"]


def test_the_browsable_api_shows_the_rules(admin: APIClient) -> None:
    answer = admin.get(RULES, headers={"Accept": "text/html"})

    assert (answer.status_code, b"connection-pool-exhaustion" in answer.content) == (200, True)
