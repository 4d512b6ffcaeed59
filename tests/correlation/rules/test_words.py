from __future__ import annotations

from typing import Any

import pytest

from correlation.rules.documents import parse_rule
from correlation.rules.pack import shipped_rules
from correlation.rules.words import Said, conditions_said, effect_of


def said(**condition: Any) -> Said:
    document = {"kind": "k", "title": "t", "any": [condition]}
    (found,) = conditions_said(parse_rule(document, "r", 1, shipped=False).any)
    return found


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"feature": "restarts", "weight": 1.2}, Said("its containers restart", "", "weight 1.2")),
        ({"signal": "latency_p95", "direction": "up", "times": 3, "above": 0.5},
         Said("p95 latency rose (above 500 ms, 3 times or more)")),
        ({"signal": "request_rate", "direction": "down"}, Said("request rate fell")),
        ({"signal": "client_error_ratio"}, Said("failed calls moved as its callers see it")),
        ({"signal": "client_error_ratio", "view": "calls"},
         Said("failed calls moved in the calls it makes")),
        ({"log": "boom", "level": "error"}, Said("logs at level error or fails with", "boom")),
        ({"log": "beat", "lines": "fewer"}, Said("stopped logging", "beat")),
        ({"template": "t-1"}, Said("logs template", "t-1")),
        ({"workload": "OOM", "at_least": 0.5},
         Said("the orchestrator says", "OOM", "from strength 0.5")),
        ({"change": "flag", "text": "cart"},
         Said("a flag shortly before that mentions", "cart")),
        ({"change": "config"}, Said("a configuration or flag change shortly before")),
        ({"feature": "memory", "requires": {"log": "gc", "at_least": 0.4}},
         Said("memory use rose", "",
              "only where logs or fails with gc, from strength 0.4")),
        ({"order": {"first": [{"signal": "cpu"}, {"log": "x"}], "then": {"workload": "OOM"},
                    "at_least_seconds": 15}},
         Said("CPU use moved or logs or fails with x, and at least 15 s later: "
              "the orchestrator says OOM")),
    ],
)  # fmt: skip
def test_a_condition_is_said_in_words(condition: dict[str, Any], expected: Said) -> None:
    assert said(**condition) == expected


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        ({"title": "t"}, "names the cause"),
        ({"boost": 0.2}, "raises by up to 20 % of what is missing"),
        ({"cap": 0.3}, "caps at 0.30"),
    ],
)
def test_an_effect_is_said_in_words(effect: dict[str, Any], words: str) -> None:
    document = {"kind": "k", "any": [{"feature": "cpu"}], **effect}

    assert effect_of(parse_rule(document, "r", 1, shipped=False)) == words


def test_every_shipped_condition_can_be_said() -> None:
    texts = [
        one.text
        for rule in shipped_rules()
        for one in conditions_said([*rule.any, *rule.all, *rule.unless])
    ]

    assert min(map(len, texts)) > 5
