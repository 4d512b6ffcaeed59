"""Who is named for which fault, and that the answer does not depend on order or hash seed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from correlation.ranking import rank
from correlation.telemetry import Change, LogLine, Ranking, Series, Telemetry, WorkloadState
from tests.correlation.incidents import EDGES, FAULTS, START, Shop, healthy, incident


def as_json(ranking: Ranking) -> str:
    """Raises ValueError on NaN or an infinity."""
    return json.dumps(asdict(ranking), sort_keys=True, allow_nan=False)


def first(ranking: Ranking) -> tuple[str, str]:
    return (ranking.causes[0].service, ranking.causes[0].kind)


@pytest.mark.parametrize("since", [20.0, 60.0, 120.0])
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "network"])
def test_rank_names_service_and_kind(fault: str, since: float) -> None:
    ranking = rank(incident(fault, seed=4, since=since))

    assert first(ranking) == FAULTS[fault]
    assert ranking.causes[0].confidence > 0.7  # where the answer turns inconclusive is fitted


def test_rank_leaves_few_of_the_clear_faults_inconclusive() -> None:
    faults = [name for name in FAULTS if name != "network"]

    left = [name for name in faults if rank(incident(name, seed=4, since=60.0)).inconclusive]

    assert len(left) <= len(faults) / 5


@pytest.mark.parametrize("fault", ["pool", "crash", "slow_db", "deploy"])
def test_rank_names_the_service_ten_seconds_after_the_onset(fault: str) -> None:
    ranking = rank(incident(fault, seed=5, since=10.0))

    assert ranking.causes[0].service == FAULTS[fault][0]


def test_rank_blames_the_deploy_of_the_culprit_only() -> None:
    deployed, not_deployed = rank(incident("deploy")), rank(incident("code"))

    assert (deployed.causes[0].change, not_deployed.causes[0].change) == ("d-2", None)
    assert not_deployed.causes[0].kind == "code_error"


def test_rank_blames_the_caller_when_the_database_serves_others_well() -> None:
    shop = Shop(7, 60.0)
    shop.bump("payment", "client_latency_p95", 0.8, "postgres")
    shop.bump("payment", "callee_mean", 0.4)
    shop.bump("payment", "pool_saturation", 0.7)
    shop.bump("payment", "pool_waiting", 25.0)
    shop.failing("payment", 0.4, 1.5)

    ranking = rank(shop.telemetry())

    assert first(ranking) == ("payment", "connection_pool_exhaustion")


def test_rank_blames_the_database_when_all_its_callers_wait() -> None:
    ranking = rank(incident("slow_db"))

    assert ranking.causes[0].service == "postgres"
    assert ranking.causes[0].confidence > 0.8


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("since", [5.0, 60.0, 300.0])
def test_rank_is_inconclusive_about_health(seed: int, since: float) -> None:
    ranking = rank(healthy(seed, since))

    assert (ranking.inconclusive, ranking.causes) == (True, ())


def test_rank_says_what_is_missing_when_inconclusive() -> None:
    telemetry = replace(
        healthy(since=10.0), logs=(), edges=(), missing=("no logs: Loki unavailable",),
        target="ghost", started_at=START + 5.0,
    )  # fmt: skip
    telemetry = replace(telemetry, series=tuple(s for s in telemetry.series if s.peer is None))

    ranking = rank(telemetry)

    assert ranking.missing == (
        "no logs: Loki unavailable",
        "telemetry after the incident start is only 5 s old",
        "no request traffic seen for ghost",
        "no dependency graph: callers and callees are not known",
        "no signal left its usual range",
    )


def test_rank_of_nothing_is_inconclusive() -> None:
    nothing = Telemetry(None, START, START, (START - 900, START - 120), (START - 120, START))

    ranking = rank(nothing)

    assert (ranking.causes, ranking.evidence, ranking.inconclusive) == ((), (), True)


@pytest.mark.parametrize("fault", ["pool", "crash", "deploy"])
def test_rank_works_without_a_graph(fault: str) -> None:
    telemetry = incident(fault)
    bare = tuple(series for series in telemetry.series if series.peer is None)

    ranking = rank(replace(telemetry, edges=(), series=bare))

    assert ranking.causes[0].service == FAULTS[fault][0]


@pytest.mark.parametrize("fault", ["pool", "crash", "slow_db", "deploy", "cpu"])
def test_rank_works_without_logs(fault: str) -> None:
    ranking = rank(replace(incident(fault), logs=(), missing=("no logs: Loki unavailable",)))

    assert first(ranking) == FAULTS[fault]


def test_rank_works_on_logs_alone() -> None:
    ranking = rank(replace(incident("code"), series=(), edges=EDGES))

    assert ranking.causes[0].service == "cart"


def test_rank_works_with_edges_of_the_graph_dropped() -> None:
    telemetry = incident("pool")

    ranking = rank(replace(telemetry, edges=telemetry.edges[2:]))

    assert ranking.causes[0].service == "payment"


def test_rank_uses_what_the_orchestrator_says() -> None:
    state = WorkloadState("cart", "cart-7d9", "OOMKilled", START + 3.0, 2, "Memory limit", "k8s")
    shop = Shop(3, 60.0)
    shop.failing("cart", 0.3)

    ranking = rank(shop.telemetry(workloads=(state,)))

    assert first(ranking) == ("cart", "oom_kill")
    assert "kubernetes:cart:cart-7d9:OOMKilled" in ranking.causes[0].supporting


@pytest.mark.parametrize("fault", ["pool", "slow_db", "deploy"])
def test_rank_does_not_depend_on_the_order_of_its_input(fault: str) -> None:
    telemetry = incident(fault)
    rng = random.Random(9)
    shuffled = {
        name: tuple(rng.sample(list(getattr(telemetry, name)), len(getattr(telemetry, name))))
        for name in ("series", "logs", "edges", "changes")
    }

    assert as_json(rank(replace(telemetry, **shuffled))) == as_json(rank(telemetry))


def test_rank_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "import hashlib; from tests.correlation.test_ranking import as_json, rank, incident;"
        "print(hashlib.sha256(as_json(rank(incident('slow_db'))).encode()).hexdigest())"
    )
    root = Path(__file__).resolve().parents[2]
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }  # fmt: skip

    assert len(digests) == 1


def test_rank_gives_no_nan_whatever_the_samples() -> None:
    times = START + 5.0 * np.arange(-60, 12)
    odd = np.where(np.arange(72) % 5 == 0, np.nan, 0.0)
    odd[-3:] = np.inf
    series = tuple(
        Series("a", signal, times, values, "both", unit)
        for signal, unit in (("error_ratio", "ratio"), ("latency_p95", "s"), ("x", ""))
        for values in (odd, np.full(72, 1e300))
    )

    ranking = rank(
        Telemetry("a", START, START + 60, (START - 300, START - 5), (START, START + 60), series)
    )

    assert "NaN" not in as_json(ranking)


def test_confidence_grows_with_severity() -> None:
    said = [
        ranking.causes[0].confidence if ranking.causes else 0.0
        for ranking in (rank(incident("code", 2, 60.0, s)) for s in (0.0, 0.02, 0.15, 1.0))
    ]

    assert said == sorted(said)
    assert (said[0], said[-1] > 0.9, max(said) <= 0.99) == (0.0, True, True)


def test_the_newest_deploy_is_not_guilty_for_being_new() -> None:
    newest = Change("d-9", "frontend", "deploy", START - 2.0, "frontend v42")

    ranking = rank(replace(incident("pool"), changes=(newest,)))

    assert (ranking.causes[0].service, ranking.causes[0].change) == ("payment", None)


def test_evidence_of_a_metric_carries_what_the_page_plots() -> None:
    ranking = rank(incident("crash", since=60.0))
    item = next(e for e in ranking.evidence if e.key == "metric:inventory:error_ratio")

    assert sorted(item.details) == [
        "baseline_high", "baseline_low", "effect", "n_baseline", "n_window",
        "onset_uncertainty_seconds", "points",
    ]  # fmt: skip
    assert abs((item.onset_at or 0.0) - START) <= 10.0
    assert len(item.details["points"]) <= 120


def test_lines_after_as_of_are_not_read() -> None:
    telemetry = incident("code")
    late = LogLine("payment", telemetry.as_of + 1.0, "panic: out of memory", "error")

    assert as_json(rank(replace(telemetry, logs=(*telemetry.logs, late)))) == as_json(
        rank(telemetry)
    )
