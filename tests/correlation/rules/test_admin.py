from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from correlation.models import CorrelationRule, RuleChange

MINE: dict[str, Any] = {
    "kind": "gremlins", "title": "{service}: gremlins", "any": [{"feature": "own_errors"}],
}  # fmt: skip
ADD = "/admin/correlation/correlationrule/add/"


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    user = User.objects.create(
        username="ann", email="ann@example.com", role=Role.ADMIN, is_staff=True, is_superuser=True
    )
    client.force_login(user)
    return client


def form(**given: Any) -> dict[str, Any]:
    return {
        "name": "mine",
        "enabled": "on",
        "priority": 100,
        "definition": json.dumps(MINE),
    } | given


def test_admin_writes_through_the_rules_own_history(admin: Client) -> None:
    admin.post(ADD, form())
    row = CorrelationRule.objects.get()
    admin.post(f"/admin/correlation/correlationrule/{row.pk}/change/", form(priority=5))
    admin.post(
        "/admin/correlation/correlationrule/",
        {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"},
    )

    told = RuleChange.objects.order_by("at").values_list("action", "actor__username")
    assert list(told) == [("created", "ann"), ("edited", "ann"), ("deleted", "ann")]
    assert CorrelationRule.objects.count() == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"definition": json.dumps({**MINE, "any": [{"log": "("}]})}, "any.0.log: The pattern"),
        ({"definition": ""}, "Give one: no shipped rule has this name."),
        ({"name": "a_"}, "Use lower-case letters, digits and hyphens"),
        ({"priority": 0}, "greater than or equal to 1"),
    ],
)
def test_admin_says_what_is_wrong(admin: Client, given: dict[str, Any], said: str) -> None:
    answer = admin.post(ADD, form(**given))

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert CorrelationRule.objects.count() == 0


def test_admin_lists_what_is_broken(admin: Client) -> None:
    CorrelationRule.objects.create(name="broken", definition={"kind": "x"})
    CorrelationRule.objects.create(name="disk-full", definition=None, enabled=False)

    html = admin.get("/admin/correlation/correlationrule/").content.decode()

    assert "any: Give at least one condition." in html
    assert "as shipped" in html
