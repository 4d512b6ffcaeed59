"""What an analysis costs: the same for 3 and for 300 services, and shared in a storm."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from correlation import shared_answers
from correlation.gather import gather
from correlation.logs import labels as log_labels
from correlation.metrics import profile_detection
from correlation.sources import FoundAs, Scope, Source
from tests.servers.telemetry import sources_at, telemetry_server

START = 1_795_305_900.0
DEADLINE_SECONDS = 60.0
STORM = 40
SLOTS = 10


def make_scope(names: list[str], namespaces: int = 1) -> Scope:
    return Scope(
        target=names[0],
        started_at=START,
        as_of=START + 60,
        services=frozenset(names),
        edges=tuple(zip(names, names[1:], strict=False)),  # noqa: RUF007 - the last has no callee
        found_as={
            name: FoundAs(namespace=f"shop-{n % namespaces}") for n, name in enumerate(names)
        },
    )


def patient(sources: list[Source]) -> list[Source]:
    return [replace(source, timeout_seconds=60.0) for source in sources]


def cost(count: int, directory: Path, namespaces: int = 1) -> Counter[str]:
    """Requests by source of one analysis about `count` services, from scratch."""
    for kept in (shared_answers, profile_detection, log_labels):
        kept.forget()
    names = [f"service-{n:03}" for n in range(count)]
    with telemetry_server(names) as server:
        sources = patient(sources_at(server.url, directory))
        _, statuses = gather(make_scope(names, namespaces), sources, DEADLINE_SECONDS)
        counted = server.counted()
    assert [status.status for status in statuses] == ["ok"] * 4, statuses
    assert {status.kind: status.queries for status in statuses} == counted
    return counted


def test_requests_are_the_same_for_3_and_300_services(tmp_path: Path) -> None:
    few, many = cost(3, tmp_path), cost(300, tmp_path)

    assert many["prometheus"] == few["prometheus"]
    assert many["loki"] == few["loki"]
    assert many["kubernetes"] == few["kubernetes"] == 3
    # the few have fewer traces to read than the most that are read of many
    assert few["tempo"] <= many["tempo"] <= 19


@pytest.mark.parametrize("namespaces", [1, 4])
def test_healthy_cluster_costs_three_requests_a_namespace(namespaces: int, tmp_path: Path) -> None:
    assert cost(8, tmp_path, namespaces)["kubernetes"] == 3 * namespaces


def test_analyses_of_a_storm_share_what_they_ask(tmp_path: Path) -> None:
    names = [f"service-{n}" for n in range(6)]
    one = sum(cost(6, tmp_path).values())
    shared_answers.forget()

    def analyse(n: int) -> None:
        target = names[n % len(names)]
        gather(replace(make_scope(names), target=target), sources, DEADLINE_SECONDS)

    with telemetry_server(names) as server:
        sources = patient(sources_at(server.url, tmp_path))
        with ThreadPoolExecutor(SLOTS) as pool:
            list(pool.map(analyse, range(STORM)))
        asked = sum(server.counted().values())

    assert asked <= one * STORM / 4
