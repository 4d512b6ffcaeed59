from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from correlation.models import Analysis, CorrelationRule, RootCause, RuleChange
from correlation.rules.forms import RuleForm, initial_of
from correlation.rules.shelf import shelf
from incidents.models import Incident

MINE: dict[str, Any] = {
    "kind": "gremlins", "title": "{service}: gremlins", "any": [{"feature": "own_errors"}],
}  # fmt: skip
FILLED = {
    "name": "mine", "kind": "gremlins", "title": "{service}: gremlins", "advice": "Feed them.",
    "conditions": "any:\n  - {log: gremlin, weight: 1.2}\n", "priority": "50", "enabled": "on",
    "services": "orders-* billing", "roles": ["service"],
}  # fmt: skip


def make_user(role: Role) -> User:
    return User.objects.create(username=role, email=f"{role}@example.com", role=role, password="!")


@pytest.fixture
def page(client: Client, db: None) -> Client:
    client.force_login(make_user(Role.ADMIN))
    return client


def html_of(page: Client, path: str, **headers: str) -> str:
    response = page.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def make_rule(name: str = "mine", definition: Any = MINE, **columns: Any) -> CorrelationRule:
    return CorrelationRule.objects.create(name=name, definition=definition, **columns)


def test_list_shows_own_and_shipped_rules(page: Client) -> None:
    make_rule()
    make_rule("disk-full", None, enabled=False, priority=1000)
    make_rule("dns-failure", MINE, priority=1000)
    make_rule("broken", {"kind": "x"})

    html = html_of(page, "/rules")

    assert html.index('href="/rules/mine"') < html.index('href="/rules/bad-deploy"')
    assert html.count('<span class="badge state state-off">off</span>') == 1
    assert html.count('<span class="badge state state-broken">left out</span>') == 1
    assert html.count('<span class="badge origin-override">overridden</span>') == 1
    assert "any: Give at least one condition." in html


def test_list_without_own_rules_says_what_they_are_for(page: Client) -> None:
    assert "No rules of your own yet" in html_of(page, "/rules")


def test_refresh_gets_the_lists_alone(page: Client) -> None:
    assert html_of(page, "/rules", **{"HX-Request": "true"}).startswith('<div id="rules"')


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_queries_for_any_number_of_rules(
    page: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for n in range(count):
        make_rule(f"mine-{n}")

    with django_assert_num_queries(4):  # session, user, rules, what they named
        html_of(page, "/rules")


def test_page_of_a_rule_says_it_in_words(page: Client) -> None:
    html = html_of(page, "/rules/connection-pool-exhaustion")

    assert "its connection pool is full or requests wait for a connection" in html
    assert "QueuePool limit" in html
    assert "and at least 15 s later: requests waiting for a connection rose or" in html
    assert "Nobody has touched it." in html
    assert html.count("comes with the product") == 1
    assert html.count('hx-post="/rules/dry-run"') == 1


def test_page_of_a_broken_rule_says_why_and_can_still_be_edited(page: Client) -> None:
    make_rule("broken", ["nonsense"])

    assert "A rule is a mapping." in html_of(page, "/rules/broken")
    assert html_of(page, "/rules/broken/edit").count('name="conditions"') == 1


def test_unknown_rules_are_not_found(page: Client) -> None:
    assert page.get("/rules/nobody").status_code == 404
    assert page.post("/rules/nobody/switch").status_code == 404


def test_new_rule_is_saved_with_everything_that_was_filled_in(page: Client) -> None:
    answer = page.post("/rules/new", FILLED)

    row = CorrelationRule.objects.get()
    assert answer.headers["Location"] == "/rules/mine"
    assert (row.priority, row.enabled) == (50, True)
    assert row.definition == {
        "kind": "gremlins", "title": "{service}: gremlins", "advice": "Feed them.",
        "roles": ["service"], "services": ["orders-*", "billing"],
        "any": [{"log": "gremlin", "weight": 1.2}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"conditions": "any: ["}, "conditions", "This is no YAML"),
        ({"conditions": "- 3"}, "conditions", "Begin with any: and a list of conditions."),
        ({"conditions": "any: []\ntitle: x"}, "conditions",
         "Only any, all and unless belong here, not title."),
        ({"conditions": "any: [{log: '('}]"}, "conditions", "any.0.log: The pattern is no regular"),
        ({"conditions": "any: [{log: '(a+)+b'}]"}, "conditions", "may take too long"),
        ({"conditions": "any: &a [{log: x}]\nall: *a"}, "conditions", "aliases"),
        ({"conditions": ""}, "conditions", "This field is required."),
        ({"kind": "No Kind"}, "kind", "Use lower-case letters, digits and underscores."),
        ({"name": "Not A Name"}, "name", "Use lower-case letters, digits and hyphens, at most"),
        ({"name": "new"}, "name", "This name is taken; choose another."),
        ({"title": ""}, "title", "Give a title, or let the rule boost or cap."),
        ({"boost": "0.9"}, "boost", "Ensure this value is less than or equal to 0.5."),
        ({"boost": "0.2", "cap": "0.3"}, "cap", "A rule raises or caps, not both."),
        ({"services": "a/b"}, "services", "This is a list of service names"),
        ({"priority": "2000"}, "priority", "less than or equal to 1000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    page: Client, given: dict[str, str], field: str, said: str
) -> None:
    answer = page.post("/rules/new", FILLED | given)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert said in answer.context["form"].errors[field][0]
    assert "Feed them." in answer.content.decode()
    assert CorrelationRule.objects.count() == 0


def test_everything_wrong_inside_the_conditions_is_said_at_once(page: Client) -> None:
    wrong = "any: [{log: '(a+)+b'}, {signal: cpus}]\nall: [{feature: mood}]"

    answer = page.post("/rules/new", FILLED | {"conditions": wrong})

    said = [one.split(":")[0] for one in answer.context["form"].errors["conditions"]]
    assert said == ["any.0.log", "any.1.signal", "all.0.feature"]


def test_copy_begins_with_the_other_rule(page: Client) -> None:
    html = html_of(page, "/rules/new?like=disk-full")

    assert 'value="disk-full-2"' in html
    assert "ENOSPC" in html


def test_edit_of_a_shipped_rule_overrides_it_and_can_be_taken_back(page: Client) -> None:
    form = initial_of(next(one for one in shelf() if one.name == "disk-full"))
    given = {key: value for key, value in form.items() if value is not None} | {"enabled": "on"}

    same = page.post("/rules/disk-full/edit", given)
    rows = CorrelationRule.objects.count()
    page.post("/rules/disk-full/edit", given | {"advice": "Call storage."})
    made = CorrelationRule.objects.get()
    page.post("/rules/disk-full/remove")

    assert (same.status_code, rows) == (302, 0)
    assert made.definition["advice"] == "Call storage."
    assert CorrelationRule.objects.count() == 0
    assert [c.action for c in RuleChange.objects.all()] == ["restored", "edited"]


@pytest.mark.parametrize("name", ["disk-full", "oom-kill", "outside-provider", "cpu-saturation"])
def test_the_form_of_a_shipped_rule_reads_back_as_the_rule(db: None, name: str) -> None:
    (one,) = [one for one in shelf() if one.name == name]
    given = {key: value for key, value in initial_of(one).items() if value is not None}

    form = RuleForm(given | {"enabled": "on"})

    assert form.is_valid(), form.errors
    assert form.definition is None


def test_an_edit_that_came_too_late_is_refused_with_what_was_typed(page: Client) -> None:
    make_rule(version=3)

    answer = page.post("/rules/mine/edit", FILLED | {"version": "2"})

    assert answer.status_code == 422
    assert "The rule mine is at version 3, not 2." in answer.content.decode()
    assert "Feed them." in answer.content.decode()
    assert CorrelationRule.objects.get().definition == MINE


def test_switch_answers_the_list_or_goes_back_to_the_rule(page: Client) -> None:
    listed = page.post(
        "/rules/disk-full/switch", {"enabled": "0"}, headers={"HX-Request": "true"}
    ).content.decode()
    single = page.post("/rules/disk-full/switch", {"enabled": "1"})

    assert listed.count('<span class="badge state state-off">off</span>') == 1
    assert single.headers["Location"] == "/rules/disk-full"
    assert CorrelationRule.objects.count() == 0


def test_delete_goes_back_to_the_list(page: Client) -> None:
    make_rule()

    answer = page.post("/rules/mine/remove", headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == "/rules"
    assert CorrelationRule.objects.count() == 0


def test_dry_run_of_the_form_and_of_a_switch(page: Client) -> None:
    tried = page.post("/rules/dry-run", FILLED).content.decode()
    switched = page.post("/rules/dry-run", {"name": "disk-full", "enabled": "0"})
    wrong = page.post("/rules/dry-run", FILLED | {"conditions": "any: [{log: '('}]"})
    nobody = page.post("/rules/dry-run", {"name": "nobody", "enabled": "0"})

    assert "No incident could be tried." in tried
    assert switched.status_code == 200
    assert (wrong.status_code, "Conditions: any.0.log" in wrong.content.decode()) == (422, True)
    assert (nobody.status_code, "no shipped rule" in nobody.content.decode()) == (422, True)
    assert CorrelationRule.objects.count() == 0


def test_only_administrators_write(client: Client, db: None) -> None:
    client.force_login(make_user(Role.RESPONDER))
    make_rule()

    for path in ("/rules/new", "/rules/mine/edit", "/rules/mine/switch", "/rules/mine/remove"):
        assert client.post(path).status_code == 403
    assert client.post("/rules/dry-run", FILLED).status_code == 200
    client.force_login(make_user(Role.VIEWER))
    assert client.post("/rules/dry-run", FILLED).status_code == 403
    assert client.get("/rules/mine").status_code == 200


def test_list_tells_how_often_a_rule_named_the_first_cause(
    page: Client, make_incident: Callable[..., Incident]
) -> None:
    make_rule()
    for ago, superseded in ((1, False), (2, True), (40, False)):
        newer = Analysis.objects.filter(superseded_by=None).first() if superseded else None
        run = Analysis.objects.create(
            incident=make_incident(f"Incident {ago}"),
            status="done",
            finished_at=timezone.now() - timedelta(days=ago),
            superseded_by=newer,
        )
        RootCause.objects.create(
            analysis=run, rank=1, service="s", kind="gremlins", rule="mine", title="t",
            confidence=0.9,
        )  # fmt: skip

    html = html_of(page, "/rules")

    assert '<td class="number" data-label="Named">1</td>' in html
