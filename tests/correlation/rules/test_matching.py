from __future__ import annotations

import json
from typing import Any

import pytest

from correlation.rules.documents import BadRule, parse_pack, parse_rule
from correlation.rules.facts import ChangeSeen, Facts, SignalSeen, StateSeen, TextSeen
from correlation.rules.matching import Adjusted, Rule, adjust, conclude, in_order
from correlation.rules.pack import digest_of, document_of, rules_of, shipped_rules
from correlation.rules.vocabulary import FEATURES

KINDS = {
    "connection_pool_exhaustion", "crash_loop", "oom_kill", "cpu_saturation", "memory_leak",
    "slow_dependency", "bad_deploy", "config_change", "traffic_surge", "network_delay",
    "disk_full", "certificate_failure", "dns_failure", "code_error", "unavailable",
    "unknown_own_fault", "storage_read_only", "threads_exhausted", "file_descriptors_exhausted",
    "lock_contention", "rate_limited", "credentials_refused", "clock_skew", "image_pull_failure",
    "cannot_start", "unschedulable", "node_failure", "outside_provider",
}  # fmt: skip


def said(text: str, strength: float = 0.9) -> Facts:
    """A service that logs `text` and fails requests because of it."""
    return Facts("service", {"own_errors": 0.9}, logs=[TextSeen((text,), strength)])


def state(reason: str, strength: float = 0.9) -> Facts:
    return Facts("service", {"state": strength}, workloads=[StateSeen(reason, strength)])


def changed(kind: str) -> Facts:
    return Facts("service", {"own_errors": 0.9}, changes=[ChangeSeen(kind, 0.9)])


def make_rule(name: str = "mine", priority: int = 100, **document: Any) -> Rule:
    given = {"kind": name.replace("-", "_"), "title": "{service}: mine", **document}
    given.setdefault("any", [{"feature": "own_errors"}])
    return parse_rule(given, name, priority, shipped=False)


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
        (Facts("external", {"callers_errors": 0.9}), "outside_provider"),
        (Facts("service", {"own_errors": 0.9}), "code_error"),
        (changed("deploy"), "bad_deploy"),
        (changed("config"), "config_change"),
        (changed("flag"), "config_change"),
        (changed("scale"), "code_error"),
        (Facts("service", {"network": 0.9}), "network_delay"),
        (Facts("service", {"traffic_surge": 0.9}), "traffic_surge"),
        (Facts("service", {"own_latency": 0.9}), "unknown_own_fault"),
        (said("write: No space left on device"), "disk_full"),
        (said("x509: certificate has expired"), "certificate_failure"),
        (said("lookup db: no such host"), "dns_failure"),
        (said("open /var/lib/x: read-only file system"), "storage_read_only"),
        (said("java.lang.OutOfMemoryError: unable to create native thread"), "oom_kill"),
        (said("RejectedExecutionException: pool is shutting down"), "threads_exhausted"),
        (said("accept4: too many open files"), "file_descriptors_exhausted"),
        (said("ERROR: deadlock detected"), "lock_contention"),
        (said("Lock wait timeout exceeded; try restarting transaction"), "lock_contention"),
        (said("429 Too Many Requests"), "rate_limited"),
        (said('FATAL: password authentication failed for user "app"'), "credentials_refused"),
        (said("RequestTimeTooSkewed"), "clock_skew"),
        (state("OOMKilled"), "oom_kill"),
        (state("CrashLoopBackOff"), "crash_loop"),
        (state("ImagePullBackOff"), "image_pull_failure"),
        (state("CreateContainerConfigError"), "cannot_start"),
        (state("FailedScheduling"), "unschedulable"),
        (state("NodeNotReady"), "node_failure"),
        (state("NotReady"), "unavailable"),
    ],
)  # fmt: skip
def test_shipped_rules_conclude(facts: Facts, kind: str) -> None:
    verdict = conclude(facts, "shop", shipped_rules())

    assert verdict is not None
    assert (verdict.kind, verdict.title.startswith("shop: "), verdict.shipped) == (kind, True, True)


def test_out_of_cpu_is_told_without_a_limit_where_answers_are_slow() -> None:
    doubled = SignalSeen("cpu", "own", 0.95, 0.0, 0.0, "up", 0.4, 1.1)

    slow = conclude(Facts("service", {"own_latency": 0.9}, [doubled]), "shop", shipped_rules())
    busy = conclude(Facts("service", {"cpu": 0.95}, [doubled]), "shop", shipped_rules())

    assert slow is not None
    assert busy is not None
    assert (slow.kind, busy.kind) == ("cpu_saturation", "unknown_own_fault")


def test_conclude_is_none_without_any_strength() -> None:
    assert conclude(Facts(), "shop", shipped_rules()) is None


def test_a_verdict_says_which_rule_named_it_and_why() -> None:
    verdict = conclude(said("write: No space left on device"), "shop", shipped_rules())

    assert verdict is not None
    assert (verdict.rule, verdict.because) == (
        "disk-full", 'logged "No space left on device"',
    )  # fmt: skip


def test_the_lowest_priority_goes_first_then_the_score_then_a_users_rule_then_the_name() -> None:
    facts = Facts("service", {"own_errors": 0.9, "pool": 0.3})
    late = make_rule("late", 300, any=[{"feature": "own_errors"}])
    early = make_rule("early", 200, any=[{"feature": "pool"}])
    weaker = make_rule("weaker", 200, any=[{"feature": "pool", "weight": 0.5}])
    twin = make_rule("a-twin", 200, any=[{"feature": "pool"}])
    rules = [late, early, weaker]

    assert [rule.name for rule in in_order(rules)] == ["early", "weaker", "late"]
    for given, winner in (
        ([*shipped_rules(), *rules], "early"),
        ([late, weaker], "weaker"),
        ([*rules, twin], "a-twin"),
        ([*shipped_rules(), make_rule("code-errors", 1000)], "code-errors"),
    ):
        verdict = conclude(facts, "s", given)
        assert verdict is not None
        assert (verdict.rule, verdict.shipped) == (winner, False)


def test_unless_silences_and_all_must_hold() -> None:
    rule = make_rule(
        unless=[{"feature": "pool"}], all=[{"feature": "restarts", "at_least": 0.5}]
    )  # fmt: skip

    matches = [
        conclude(Facts("service", {"own_errors": 0.9, **more}), "s", [rule]) is not None
        for more in ({}, {"restarts": 0.6}, {"restarts": 0.4}, {"restarts": 0.6, "pool": 0.2})
    ]

    assert matches == [False, True, False, False]


def test_roles_and_services_limit_a_rule() -> None:
    rule = make_rule(roles=["database"], services=["orders-*", "billing"])
    facts = {role: Facts(role, {"own_errors": 0.9}) for role in ("database", "service")}

    found = [
        (service, role)
        for service in ("orders-db", "billing", "orders")
        for role in facts
        if conclude(facts[role], service, [rule])
    ]

    assert found == [("orders-db", "database"), ("billing", "database")]


def test_a_boost_closes_its_share_of_what_is_missing_and_the_strongest_counts() -> None:
    facts = Facts("service", {"own_errors": 0.5})
    rules = [
        make_rule("up", title="", kind="any", boost=0.4),
        make_rule("less", title="", kind="any", boost=0.2),
        make_rule("other", title="", kind="disk_full", boost=0.5),
    ]

    found = adjust(0.6, "code_error", facts, "s", rules)

    assert found == Adjusted(pytest.approx(0.68), ("up raised its evidence from 0.60 to 0.68",))


def test_a_cap_holds_after_boosts_and_the_lowest_counts() -> None:
    facts = Facts("service", {"own_errors": 1.0})
    rules = [
        make_rule("up", title="", kind="any", boost=0.5),
        make_rule("ceiling", title="", kind="code_error", cap=0.7),
        make_rule("lower", title="", kind="code_error", cap=0.3),
    ]

    assert adjust(0.6, "code_error", facts, "s", rules).score == 0.3
    assert adjust(0.2, "traffic_surge", facts, "s", rules[1:]) == Adjusted(0.2)
    assert adjust(0.2, "code_error", facts, "s", rules[1:]) == Adjusted(0.2)


def test_rules_without_a_title_name_nothing() -> None:
    rule = make_rule(title="", kind="any", cap=0.5)

    assert conclude(Facts("service", {"own_errors": 1.0}), "s", [rule]) is None


def test_document_of_rules_are_read_back_and_their_digest_is_stable() -> None:
    rules = (*shipped_rules(), make_rule(boost=0.2))

    document = json.loads(json.dumps(document_of(rules)))

    assert rules_of(document) == rules
    assert digest_of(document) == digest_of(document_of(rules))
    assert digest_of(document_of(rules[:-1])) != digest_of(document)


@pytest.mark.parametrize("document", [{}, {"rules": 3}, {"rules": [{"kind": "a"}]}, {"rules": [3]}])
def test_rules_in_a_form_that_is_not_ours_are_refused(document: Any) -> None:
    with pytest.raises(BadRule):
        rules_of(document)


def test_every_feature_asked_for_is_described() -> None:
    pack = parse_pack({"rules": [{"name": "all", "kind": "k", "title": "t", "any": [
        {"feature": name} for name in list(FEATURES)[:20]]}]})  # fmt: skip

    assert len(pack[0].any) == 20
