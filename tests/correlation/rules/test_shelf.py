from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from correlation.models import CorrelationRule, RuleChange
from correlation.rules import edits as rule_edits
from correlation.rules.documents import BadRule
from correlation.rules.pack import digest_of, document_of, shipped_rules
from correlation.rules.shelf import in_force, shelf

pytestmark = pytest.mark.django_db

MINE: dict[str, Any] = {
    "kind": "gremlins", "title": "{service}: gremlins", "any": [{"feature": "own_errors"}],
}  # fmt: skip
BROKEN = {**MINE, "any": [{"log": "(a+)+b"}]}


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann", email="ann@example.com", role=Role.ADMIN)


def make_rule(name: str = "mine", definition: Any = MINE, **columns: Any) -> CorrelationRule:
    return CorrelationRule.objects.create(name=name, definition=definition, **columns)


def test_in_force_without_rows_is_the_pack(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        found = in_force()

    assert {rule.name for rule in found.rules} == {rule.name for rule in shipped_rules()}
    assert found.skipped == ()


def test_shelf_is_in_the_order_of_trial() -> None:
    make_rule("second", priority=20)
    make_rule("first", priority=10)
    make_rule("among-the-shipped", priority=1000)

    names = [one.name for one in shelf()]

    assert names[:4] == ["first", "second", "among-the-shipped", "bad-deploy"]


def test_disabled_rules_are_not_in_force() -> None:
    make_rule("off", enabled=False)
    make_rule("disk-full", None, enabled=False, priority=1000)

    names = {rule.name for rule in in_force().rules}

    assert names == {rule.name for rule in shipped_rules()} - {"disk-full"}


def test_an_override_takes_the_place_of_the_shipped_rule() -> None:
    make_rule("disk-full", MINE, priority=1000)

    (rule,) = [rule for rule in in_force().rules if rule.name == "disk-full"]

    assert (rule.kind, rule.shipped, rule.priority) == ("gremlins", False, 1000)


def test_a_broken_rule_is_left_out_and_said() -> None:
    make_rule("broken", BROKEN)
    make_rule("disk-full", BROKEN, priority=1000)
    make_rule("gone-from-the-pack", None)
    make_rule("fine")

    found = in_force()

    assert {rule.name for rule in found.rules} - {"fine"} == {r.name for r in shipped_rules()}
    assert [(name, why.partition(".")[0] + ".") for name, why in found.skipped] == [
        ("broken", "any."),
        ("gone-from-the-pack", "There is no shipped rule of this name any more."),
        ("disk-full", "any."),
    ]
    assert "may take too long" in found.skipped[0][1]
    assert found.skipped[2][1].endswith("The shipped rule of that name is used instead.")


def test_create_keeps_who_made_it(ann: User) -> None:
    made = rule_edits.create(name="mine", definition=MINE, actor=ann)

    change = RuleChange.objects.get()
    after = {"enabled": True, "priority": 100, "definition": MINE}
    assert (made.priority, made.version, made.updated_by) == (100, 1, ann)
    assert (change.rule, change.action, change.actor) == ("mine", "created", ann)
    assert (change.before, change.after) == (None, after)


def test_create_in_place_of_a_shipped_rule_competes_with_the_others(ann: User) -> None:
    made = rule_edits.create(name="disk-full", definition=MINE, actor=ann)

    assert made.priority == 1000


def test_create_refuses_a_taken_name_and_a_bad_definition(ann: User) -> None:
    rule_edits.create(name="mine", definition=MINE, actor=ann)

    with pytest.raises(BadRule, match="name: There is a rule of this name already"):
        rule_edits.create(name="mine", definition=MINE, actor=ann)
    with pytest.raises(BadRule, match=r"any\.0\.log"):
        rule_edits.create(name="other", definition=BROKEN, actor=ann)
    with pytest.raises(BadRule, match="no shipped rule has this name"):
        rule_edits.create(name="other", definition=None, actor=ann)
    assert [change.rule for change in RuleChange.objects.all()] == ["mine"]


def test_create_stops_at_the_limit(ann: User) -> None:
    CorrelationRule.objects.bulk_create(
        CorrelationRule(name=f"r-{n}", definition=MINE) for n in range(rule_edits.MOST_RULES)
    )

    with pytest.raises(BadRule, match="There are 200 rules already"):
        rule_edits.create(name="mine", definition=MINE, actor=ann)


def test_edits_count_and_name_what_they_did(ann: User) -> None:
    rule_edits.create(name="mine", definition=MINE, actor=ann)

    for changes in ({"enabled": False}, {"enabled": True}, {"priority": 7}, {"priority": 7}):
        rule_edits.edit(name="mine", changes=changes, actor=ann)

    row = CorrelationRule.objects.get()
    told = [change.action for change in RuleChange.objects.order_by("at")]
    assert (row.version, row.priority) == (4, 7)
    assert told == ["created", "disabled", "enabled", "edited"]


def test_a_stale_edit_is_refused(ann: User) -> None:
    rule_edits.create(name="mine", definition=MINE, actor=ann)
    rule_edits.edit(name="mine", changes={"priority": 7}, actor=ann, version=1)

    with pytest.raises(rule_edits.VersionConflict) as caught:
        rule_edits.edit(name="mine", changes={"priority": 8}, actor=ann, version=1)

    assert (caught.value.version, CorrelationRule.objects.get().priority) == (2, 7)


def test_an_edit_that_breaks_the_rule_changes_nothing(ann: User) -> None:
    rule_edits.create(name="mine", definition=MINE, actor=ann)

    with pytest.raises(BadRule):
        rule_edits.edit(name="mine", changes={"definition": BROKEN}, actor=ann)

    assert CorrelationRule.objects.get().definition == MINE
    assert RuleChange.objects.count() == 1


def test_a_shipped_rule_can_be_switched_off_and_on_again(ann: User) -> None:
    off = rule_edits.edit(name="disk-full", changes={"enabled": False}, actor=ann, version=0)
    on = rule_edits.edit(name="disk-full", changes={"enabled": True}, actor=ann, version=1)

    assert off is not None
    assert (off.definition, off.priority, off.enabled) == (None, 1000, False)
    assert (on, CorrelationRule.objects.count()) == (None, 0)
    assert [change.action for change in RuleChange.objects.all()] == ["enabled", "disabled"]
    assert digest_of(document_of(in_force().rules)) == digest_of(
        document_of(sorted(shipped_rules(), key=lambda rule: rule.name))
    )


def test_remove_deletes_a_users_rule_and_restores_a_shipped_one(ann: User) -> None:
    rule_edits.create(name="mine", definition=MINE, actor=ann)
    rule_edits.create(name="disk-full", definition=MINE, actor=ann)

    rule_edits.remove(name="mine", actor=ann)
    rule_edits.remove(name="disk-full", actor=ann, version=1)

    actions = set(RuleChange.objects.exclude(action="created").values_list("rule", "action"))
    assert CorrelationRule.objects.count() == 0
    assert actions == {("mine", "deleted"), ("disk-full", "restored")}


@pytest.mark.parametrize("name", ["disk-full", "nobody"])
def test_there_is_nothing_to_remove_of_what_is_not_stored(name: str) -> None:
    with pytest.raises(rule_edits.NoSuchRule):
        rule_edits.remove(name=name, actor=None)
