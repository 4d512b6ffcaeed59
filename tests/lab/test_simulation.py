import numpy as np
import pytest

from lab import promql
from lab.alerts import RULES
from lab.matchers import Matcher
from lab.simulation import run
from lab.world import CALL_GRAPH, SERVICES

END = 1_795_305_900.0


def test_run_with_the_same_seed_gives_the_same_samples() -> None:
    first = run(5, 120.0, None, 0.0, END)
    second = run(5, 120.0, None, 0.0, END)

    pattern = (Matcher("__name__", "=", "http_requests_total"),)
    one = first.tsdb.select(pattern, END - 120, END)
    two = second.tsdb.select(pattern, END - 120, END)

    assert [labels for labels, _, _ in one] == [labels for labels, _, _ in two]
    assert all(np.array_equal(a[2], b[2]) for a, b in zip(one, two, strict=True))


def test_run_gives_every_http_service_four_requests_a_second() -> None:
    recording = run(2, 300.0, None, 0.0, END)

    found = promql.instant(
        recording.tsdb, "sum by (service) (rate(http_requests_total[4m])) >= 4", END
    )

    http = {name for name, spec in SERVICES.items() if spec.kind == "http"}
    assert {labels["service"] for labels, _ in found} == http


def test_run_shows_every_edge_of_the_call_graph_and_no_other() -> None:
    recording = run(2, 120.0, None, 0.0, END)

    found = promql.instant(recording.tsdb, "sum by (service, peer) (client_requests_total)", END)

    edges = {(labels["service"], labels["peer"]) for labels, _ in found}
    assert edges == {(caller, peer) for caller, peers in CALL_GRAPH.items() for peer in peers}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_healthy_hour_makes_no_rule_true(seed: int) -> None:
    recording = run(seed, 3600.0, None, 0.0, END)

    true = {
        rule.name: promql.range_query(recording.tsdb, rule.query, END - 3570, END, 5.0)
        for rule in RULES
    }

    assert true == {rule.name: [] for rule in RULES}
