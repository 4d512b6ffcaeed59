from __future__ import annotations

from typing import Any

import pytest

from correlation.rules.documents import BadRule, parse_pack, parse_rule

ASKED = [{"feature": "own_errors"}]


def problems_of(document: Any, name: str = "mine") -> dict[str, list[str]]:
    with pytest.raises(BadRule) as caught:
        parse_rule(document, name, 100, shipped=False)
    return caught.value.problems


def of(**condition: Any) -> dict[str, list[str]]:
    """What is wrong with a rule of that one condition."""
    return problems_of({"kind": "k", "title": "t", "any": [condition]})


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ([], "definition", "A rule is a mapping."),
        ({"title": "t", "any": ASKED}, "kind", "This must be a text."),
        ({"kind": "No Kind", "title": "t", "any": ASKED}, "kind",
         "Use lower-case letters, digits and underscores."),
        ({"kind": "k", "title": "t"}, "any", "Give at least one condition."),
        ({"kind": "k", "title": "t", "any": {}}, "any", "This is a list of conditions."),
        ({"kind": "k", "any": ASKED}, "title", "Give a title, or let the rule boost or cap."),
        ({"kind": "any", "title": "t", "any": ASKED}, "kind",
         "A rule that names causes needs a kind of its own."),
        ({"kind": "k", "title": "t" * 201, "any": ASKED}, "title",
         "This is 201 characters long; 200 are allowed."),
        ({"kind": "k", "title": "a\nb", "any": ASKED}, "title", "This must be one line of text."),
        ({"kind": "k", "boost": 0.9, "any": ASKED}, "boost",
         "This must be a number from 0 to 0.5."),
        ({"kind": "k", "cap": True, "any": ASKED}, "cap", "This must be a number from 0 to 1."),
        ({"kind": "k", "cap": 0.1, "boost": 0.1, "any": ASKED}, "cap",
         "A rule raises or caps, not both."),
        ({"kind": "k", "title": "t", "any": ASKED, "roles": ["pope"]}, "roles",
         "This is a list of service, database, cache, queue, external."),
        ({"kind": "k", "title": "t", "any": ASKED, "services": ["a b"]}, "services",
         "This is a list of service names; * stands for any letters."),
        ({"kind": "k", "title": "t", "any": ASKED, "eval": "1"}, "eval",
         "There is no such field; here are kind, title, advice, roles, services, any, all, "
         "unless, boost, cap."),
        ({"kind": "k", "title": "t", "any": ASKED * 21}, "any.20",
         "A rule has at most 20 conditions."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_rule_is_named(document: Any, path: str, message: str) -> None:
    assert problems_of(document)[path][0] == message


@pytest.mark.parametrize(
    ("condition", "path", "message"),
    [
        ({"weight": 1}, "any.0",
         "Ask for exactly one of feature, signal, log, template, workload, change, order."),
        ({"feature": "mood"}, "any.0.feature", None),
        ({"feature": "pool", "weight": 9}, "any.0.weight", "This must be a number from 0 to 2."),
        ({"feature": "pool", "at_least": "x"}, "any.0.at_least",
         "This must be a number from 0 to 1."),
        ({"feature": "pool", "above": 1}, "any.0.above", None),
        ({"signal": "cpus"}, "any.0.signal", None),
        ({"signal": "cpu", "view": "callers"}, "any.0.view", "cpu is seen by own."),
        ({"signal": "client_error_ratio", "view": "own"}, "any.0.view",
         "client_error_ratio is seen by callers."),
        ({"signal": "cpu", "direction": "left"}, "any.0.direction",
         "'left' is none of up, down."),
        ({"signal": "cpu", "times": 0.5}, "any.0.times", None),
        ({"log": "("}, "any.0.log", None),
        ({"log": "(a+)+b"}, "any.0.log", None),
        ({"log": 3}, "any.0.log", "This must be a regular expression."),
        ({"log": "x", "lines": "none"}, "any.0.lines", "'none' is none of more, fewer."),
        ({"template": ""}, "any.0.template", "This must be a text."),
        ({"workload": "a*"}, "any.0.workload",
         "The pattern matches an empty text, so it would match everything."),
        ({"change": "marriage"}, "any.0.change", None),
        ({"change": "deploy", "text": "["}, "any.0.text", None),
        ({"feature": "pool", "requires": {"log": "["}}, "any.0.requires.log", None),
        ({"order": 3}, "any.0.order", "This is a mapping with first and then."),
        ({"order": {"first": {"signal": "cpu"}}}, "any.0.order.then", None),
        ({"order": {"first": {"feature": "pool"}, "then": {"signal": "cpu"}}},
         "any.0.order.first", "A feature has no onset; ask for a signal."),
        ({"order": {"first": {"signal": "cpu"}, "then": [{"log": "x"}, {"log": "("}]}},
         "any.0.order.then.1.log", None),
        ({"order": {"first": {"signal": "cpu"}, "then": {"log": "x"}, "at_least_seconds": 9,
                    "at_most_seconds": 3}},
         "any.0.order.at_most_seconds", "This is less than at_least_seconds."),
        ({"feature": "pool", "requires": {"feature": "pool", "requires": {"feature": "pool",
          "requires": {"feature": "pool"}}}}, "any.0.requires.requires.requires",
         "Conditions are nested too deeply."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_condition_is_named_by_its_path(
    condition: dict[str, Any], path: str, message: str | None
) -> None:
    found = of(**condition)

    assert list(found) == [path]
    assert message is None or found[path] == [message]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = problems_of(
        {"kind": "", "title": 3, "any": [{"log": "("}], "all": [{"feature": "x"}]}, name="No"
    )

    assert sorted(found) == ["all.0.feature", "any.0.log", "kind", "name", "title"]


def test_a_flood_of_conditions_is_told_once() -> None:
    found = problems_of({"kind": "k", "title": "t", "any": ASKED * 100_000})

    assert found == {"any.20": ["A rule has at most 20 conditions."]}


@pytest.mark.parametrize("document", [[], {}, {"rules": {}}])
def test_a_pack_is_a_list_of_rules(document: Any) -> None:
    with pytest.raises(BadRule, match="a mapping with a list called rules"):
        parse_pack(document)


def test_a_pack_names_the_rule_and_takes_each_name_once() -> None:
    rule = {"name": "a", "kind": "k", "title": "t", "any": ASKED}

    with pytest.raises(BadRule) as caught:
        parse_pack({"rules": [rule, rule, 3, {**rule, "name": "b", "any": [{"log": "("}]}]})

    assert sorted(caught.value.problems) == [
        "rules.1.name", "rules.2.definition", "rules.2.name", "rules.3.any.0.log",
    ]  # fmt: skip
