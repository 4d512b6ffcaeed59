"""What conditions find in facts, the order of onsets, and facts that a ranking makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from correlation.ranking import rank, weigh
from correlation.rules.documents import parse_rule
from correlation.rules.facts import ChangeSeen, Facts, SignalSeen, StateSeen, TextSeen
from correlation.rules.pack import shipped_rules
from correlation.rules.vocabulary import FEATURES
from correlation.telemetry import Telemetry, WorkloadState
from tests.correlation.incidents import FAULTS, START, Shop, incident

FACTS = Facts(
    "service",
    {"pool": 0.9},
    signals=[
        SignalSeen("error_ratio", "own", 0.9, 100.0, 5.0, "up", 0.01, 0.31),
        SignalSeen("request_rate", "own", 0.8, 110.0, 5.0, "down", 40.0, 10.0),
        SignalSeen("client_latency_p95", "callers", 0.7, 105.0, 5.0, "up", 0.1, 0.9),
        SignalSeen("client_error_ratio", "calls", 0.6, 90.0, 5.0, "up", 0.0, 0.2),
    ],
    logs=[
        TextSeen(("cannot reserve <*>", "cannot reserve 12"), 0.8, 120.0, "error", True, "t-1"),
        TextSeen(("heartbeat",), 0.5, 120.0, "info", False, "t-2"),
    ],
    workloads=[StateSeen("OOMKilled", 0.9, 200.0)],
    changes=[ChangeSeen("flag", 0.7, 80.0, "turn on express checkout")],
)


def strength(condition: dict[str, Any], facts: Facts = FACTS) -> float:
    """How strongly the condition was seen; 0 when it was not."""
    rule = parse_rule({"kind": "k", "title": "t", "any": [condition]}, "r", 1, shipped=False)
    match = rule.match(facts, "shop")
    return match.strength if match else 0.0


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"feature": "pool"}, 0.9),
        ({"feature": "pool", "at_least": 0.95}, 0.0),
        ({"feature": "pool", "weight": 0.5}, 0.45),
        ({"feature": "pool", "requires": {"workload": "OOM"}}, 0.9),
        ({"feature": "pool", "requires": {"workload": "Evicted"}}, 0.0),
        ({"signal": "error_ratio"}, 0.9),
        ({"signal": "error_ratio", "direction": "down"}, 0.0),
        ({"signal": "error_ratio", "above": 0.3}, 0.9),
        ({"signal": "error_ratio", "above": 0.5}, 0.0),
        ({"signal": "error_ratio", "below": 0.5, "by": 0.25}, 0.9),
        ({"signal": "error_ratio", "by": 0.35}, 0.0),
        ({"signal": "error_ratio", "times": 30}, 0.9),
        ({"signal": "error_ratio", "times": 32}, 0.0),
        ({"signal": "request_rate", "direction": "down", "times": 4, "by": 30}, 0.8),
        ({"signal": "request_rate", "below": 5}, 0.0),
        ({"signal": "client_latency_p95"}, 0.7),
        ({"signal": "client_latency_p95", "view": "calls"}, 0.0),
        ({"signal": "client_error_ratio", "view": "calls"}, 0.6),
        ({"signal": "latency_p95"}, 0.0),
        ({"log": "RESERVE \\d+"}, 0.8),
        ({"log": "reserve", "level": "warn"}, 0.0),
        ({"log": "reserve", "level": "error"}, 0.8),
        ({"log": "heartbeat"}, 0.0),
        ({"log": "heartbeat", "lines": "fewer"}, 0.5),
        ({"template": "t-1"}, 0.8),
        ({"template": "t-2"}, 0.0),
        ({"workload": "^OOM"}, 0.9),
        ({"change": "any"}, 0.7),
        ({"change": "config"}, 0.7),
        ({"change": "flag"}, 0.7),
        ({"change": "deploy"}, 0.0),
        ({"change": "flag", "text": "express"}, 0.7),
        ({"change": "flag", "text": "slow lane"}, 0.0),
    ],
)
def test_a_condition_is_seen_as_strongly_as_its_evidence(
    condition: dict[str, Any], expected: float
) -> None:
    assert strength(condition) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "then", "bounds", "expected"),
    [
        ({"signal": "error_ratio"}, {"workload": "OOM"}, {}, 0.9),
        ({"workload": "OOM"}, {"signal": "error_ratio"}, {}, 0.0),
        ({"signal": "error_ratio"}, {"workload": "OOM"}, {"at_least_seconds": 100}, 0.9),
        ({"signal": "error_ratio"}, {"workload": "OOM"}, {"at_least_seconds": 101}, 0.0),
        ({"signal": "error_ratio"}, {"workload": "OOM"}, {"at_most_seconds": 99}, 0.0),
        # within each other's margins: neither came first
        ({"signal": "error_ratio"}, {"signal": "client_latency_p95"}, {}, 0.0),
        ({"signal": "error_ratio"}, {"signal": "request_rate"}, {}, 0.8),
        # the earliest of several counts on either side
        ([{"workload": "OOM"}, {"change": "flag"}], {"signal": "error_ratio"}, {}, 0.7),
        ({"signal": "error_ratio"}, [{"workload": "OOM"}, {"change": "flag"}], {}, 0.0),
        ({"signal": "error_ratio"}, {"log": "nothing says this"}, {}, 0.0),
        ({"signal": "error_ratio", "at_least": 0.95}, {"workload": "OOM"}, {}, 0.0),
    ],
)
def test_an_order_holds_when_the_first_began_before_the_other(
    first: Any, then: Any, bounds: dict[str, float], expected: float
) -> None:
    assert strength({"order": {"first": first, "then": then, **bounds}}) == expected


def test_a_match_says_what_it_saw() -> None:
    condition = {"order": {"first": {"signal": "error_ratio"}, "then": {"workload": "OOM"}}}
    rule = parse_rule({"kind": "k", "title": "t", "any": [condition]}, "r", 1, shipped=False)

    match = rule.match(FACTS, "shop")

    assert match is not None
    assert (match.words, match.onset) == (
        "error rate rose from 1 % to 31 %, 100 s before workload state OOMKilled", 100.0,
    )  # fmt: skip


def pool_and_memory(pool_at: float, memory_at: float) -> Telemetry:
    """A pool that fills and memory that runs out, each so many seconds after START."""
    shop = Shop(seed=3, since=180.0)
    shop.failing("payment", 0.4, 1.5)
    for signal, by, at in (
        ("pool_saturation", 0.7, pool_at),
        ("pool_waiting", 30.0, pool_at),
        ("memory_saturation", 0.45, memory_at),
        ("restarts", 2.0, memory_at),
    ):
        shop.bump("payment", signal, by)
        key = ("payment", signal, None)
        moved = shop.series[key]
        steps = int(at / shop.step)
        calm = moved.values[shop.times < START]
        later = moved.values[shop.times >= START]
        delayed = later[: later.size - steps]
        values = [*calm, *calm[: later.size - delayed.size], *delayed]
        shop.series[key] = replace(moved, values=moved.values.__class__((len(values),)))
        shop.series[key].values[:] = values
    killed = WorkloadState("payment", "deployment/payment", "OOMKilled", START + memory_at, 2)
    return shop.telemetry(workloads=(killed,))


@pytest.mark.parametrize(
    ("pool_at", "memory_at", "kind"),
    [(0.0, 95.0, "connection_pool_exhaustion"), (95.0, 0.0, "oom_kill")],
)
def test_what_began_first_names_the_cause(pool_at: float, memory_at: float, kind: str) -> None:
    cause = rank(pool_and_memory(pool_at, memory_at)).causes[0]

    assert (cause.service, cause.kind) == ("payment", kind)


def test_a_cause_carries_the_rule_that_named_it() -> None:
    cause = rank(incident("pool")).causes[0]

    assert cause.rule == "connection-pool-exhaustion"
    assert (
        'Rule: connection-pool-exhaustion (shipped), because: logged "pool exhausted"'
    ) in cause.explanation.splitlines()


def test_a_users_rule_names_and_caps_what_it_is_about() -> None:
    mine = parse_rule(
        {"kind": "queue_of_death", "title": "{service}: the usual",
         "any": [{"log": "pool exhausted"}]},
        "the-usual", 100, shipped=False,
    )  # fmt: skip
    hush = parse_rule(
        {"kind": "any", "cap": 0.05, "services": ["checkout"],
         "any": [{"feature": "own_errors", "at_least": 0}, {"signal": "error_ratio"}]},
        "hush", 100, shipped=False,
    )  # fmt: skip

    plain = rank(incident("pool"))
    ruled = rank(incident("pool"), rules=[*shipped_rules(), mine, hush])

    assert (ruled.causes[0].kind, ruled.causes[0].title) == ("queue_of_death", "payment: the usual")
    assert ruled.causes[0].confidence >= plain.causes[0].confidence
    assert "checkout" not in {cause.service for cause in ruled.causes}


def test_a_boost_is_explained() -> None:
    lift = parse_rule(
        {"kind": "any", "boost": 0.5, "any": [{"signal": "error_ratio"}]},
        "lift", 100, shipped=False,
    )  # fmt: skip

    cause = rank(incident("code"), rules=[*shipped_rules(), lift]).causes[0]

    (line,) = [one for one in cause.explanation.splitlines() if "raised" in one]
    assert line.startswith("Rule: lift raised its evidence from 0.")


def test_every_feature_of_the_vocabulary_is_made() -> None:
    made: set[str] = set()
    for fault in FAULTS:
        for hypothesis in weigh(incident(fault)).hypotheses:
            made |= set(hypothesis.suspect.features)

    assert set(FEATURES) <= made
