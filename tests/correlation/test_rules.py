from __future__ import annotations

from typing import Any

import pytest

from correlation.rules import BadRule, Facts, conclude, parse_rules, shipped_rules

KINDS = {
    "connection_pool_exhaustion", "crash_loop", "oom_kill", "cpu_saturation", "memory_leak",
    "slow_dependency", "bad_deploy", "config_change", "traffic_surge", "network_delay",
    "disk_full", "certificate_failure", "dns_failure", "code_error", "unavailable",
    "unknown_own_fault",
}  # fmt: skip


def test_shipped_rules_cover_every_kind() -> None:
    assert {rule.kind for rule in shipped_rules()} == KINDS


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (Facts("service", {"pool": 0.9, "own_errors": 0.95}), "connection_pool_exhaustion"),
        (Facts("service", {"restarts": 0.9, "own_errors": 0.9}), "crash_loop"),
        (Facts("service", {"restarts": 0.9, "memory_saturation": 0.9}), "oom_kill"),
        (Facts("service", {"memory_saturation": 0.9}), "memory_leak"),
        (Facts("service", {"cpu_saturation": 0.9, "own_latency": 0.95}), "cpu_saturation"),
        (Facts("database", {"callers_latency": 0.9}), "slow_dependency"),
        (Facts("cache", {"callers_errors": 0.9}), "unavailable"),
        (Facts("service", {"own_errors": 0.9}), "code_error"),
        (Facts("service", {"own_errors": 0.9}, changes={"deploy": 0.9}), "bad_deploy"),
        (Facts("service", {"own_errors": 0.9}, changes={"config": 0.9}), "config_change"),
        (Facts("service", {"network": 0.9}), "network_delay"),
        (Facts("service", {"traffic_surge": 0.9}), "traffic_surge"),
        (Facts("service", {"own_latency": 0.9}), "unknown_own_fault"),
        (Facts("service", {}, [("write: No space left on device", 0.9)]), "disk_full"),
        (Facts("service", {}, [("x509: certificate has expired", 0.9)]), "certificate_failure"),
        (Facts("service", {}, [("lookup db: no such host", 0.9)]), "dns_failure"),
        (Facts("service", {}, [], [("OOMKilled", 0.9)]), "oom_kill"),
        (Facts("service", {}, [], [("CrashLoopBackOff", 0.9)]), "crash_loop"),
    ],
)
def test_shipped_rules_conclude(facts: Facts, kind: str) -> None:
    verdict = conclude(facts, "shop")

    assert verdict is not None
    assert (verdict.kind, verdict.title.startswith("shop: ")) == (kind, True)


def test_conclude_is_none_without_any_strength() -> None:
    assert conclude(Facts("service", {}), "shop") is None


def test_the_first_rule_wins_a_tie_and_unless_silences() -> None:
    condition = {"feature": "own_errors"}
    rules = parse_rules(
        {
            "rules": [
                {"kind": "a", "title": "a", "any": [condition], "unless": [{"feature": "pool"}]},
                {"kind": "b", "title": "b", "any": [condition]},
                {"kind": "c", "title": "c", "any": [condition]},
            ]
        }
    )

    free = conclude(Facts("service", {"own_errors": 0.9}), "s", rules)
    silenced = conclude(Facts("service", {"own_errors": 0.9, "pool": 0.9}), "s", rules)

    assert free is not None
    assert silenced is not None
    assert (free.kind, silenced.kind) == ("a", "b")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a rule pack is a mapping with a list called rules"),
        ({"rules": [3]}, "rules[0] is not a mapping"),
        ({"rules": [{"kind": "a"}]}, "rules[0].title must be a text"),
        ({"rules": [{"kind": "a", "title": "t"}]}, "rules[0].any needs at least one condition"),
        ({"rules": [{"kind": "a", "title": "t", "eval": "x"}]},
         "rules[0].eval is not a field of a rule"),
        ({"rules": [{"kind": "a", "title": "t", "any": [{"weight": 1}]}]},
         "rules[0].any[0] must name exactly one of feature, log, workload, change"),
        ({"rules": [{"kind": "a", "title": "t", "any": [{"feature": "x", "weight": 9}]}]},
         "rules[0].any[0].weight must be a number from 0 to 2"),
    ],
)  # fmt: skip
def test_parse_rules_names_what_is_wrong(document: Any, said: str) -> None:
    with pytest.raises(BadRule) as caught:
        parse_rules(document)

    assert str(caught.value) == said


def test_parse_rules_refuses_a_broken_pattern() -> None:
    with pytest.raises(BadRule, match=r"rules\[0\]\.any\[0\]\.log"):
        parse_rules({"rules": [{"kind": "a", "title": "t", "any": [{"log": "("}]}]})
