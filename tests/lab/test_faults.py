import pytest

from lab import promql
from lab.alerts import Evaluator
from lab.faults import FAULTS, BadField, custom_fault
from lab.logstore import LogStore
from lab.simulation import Simulation, run
from lab.tsdb import Tsdb

END = 1_795_305_900.0

EXPECTED = {
    "pool-exhaustion": ("DBPoolSaturated", "payment-processing"),
    "crash-loop": ("PodCrashLooping", "inventory"),
    "slow-database": ("PostgresSlow", "postgres"),
    "error-deploy": ("HighErrorRate", "checkout"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_fault_fires_at_its_service_and_upstream_within_30_seconds_and_ends(fault: str) -> None:
    tsdb = Tsdb()
    simulation = Simulation(4, END - 120, tsdb, LogStore())
    simulation.fast_forward(END)
    evaluator = Evaluator(tsdb)
    simulation.start_fault(FAULTS[fault])

    simulation.advance(END + 30)
    for seconds in (10, 15, 20, 25):
        evaluator.evaluate(END + seconds)
    early = {(a.labels["alertname"], a.labels["service"]) for a in evaluator.evaluate(END + 30)}
    simulation.stop_fault(fault)
    simulation.advance(END + 300)
    evaluator.evaluate(END + 300)

    assert EXPECTED[fault] in early
    assert "frontend" in {service for _, service in early}
    assert evaluator.evaluate(END + 305) == []


def test_crash_loop_leaves_gaps_and_counts_restarts() -> None:
    recording = run(4, 60.0, "crash-loop", 40.0, END)

    up = promql.instant(recording.tsdb, 'process_start_time_seconds{service="inventory"}', END)
    restarts = promql.instant(
        recording.tsdb,
        'sum(kube_pod_container_status_restarts_total{service="inventory"})',
        END,
    )

    assert len(up) < 3
    assert restarts[0][1] >= 3.0


def test_ground_truth_is_not_in_the_metrics_or_the_logs() -> None:
    recording = run(4, 60.0, "pool-exhaustion", 40.0, END)

    names = {value for labels in recording.tsdb.series() for value in labels.values()}

    assert names & {"pool-exhaustion", "connection_pool_exhaustion"} == set()


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (None, "body"),
        ({}, "service"),
        ({"service": "nope"}, "service"),
        ({"service": "cart", "error_rate": 1.1}, "error_rate"),
        ({"service": "cart", "cpu_usage": -1}, "cpu_usage"),
        ({"service": "cart", "memory_usage": True}, "memory_usage"),
        ({"service": "cart", "response_time_ms": "slow"}, "response_time_ms"),
        ({"service": "cart", "db_connections": float("nan")}, "db_connections"),
        ({"service": "cart", "disk": 1}, "disk"),
    ],
)
def test_custom_fault_names_the_bad_field(payload: object, field: str) -> None:
    with pytest.raises(BadField) as raised:
        custom_fault(payload)

    assert raised.value.field == field


def test_custom_fault_drives_errors_cpu_memory_latency_and_pool() -> None:
    tsdb = Tsdb()
    simulation = Simulation(4, END - 90, tsdb, LogStore())
    fault, ignored = custom_fault(
        {
            "service": "payment-processing",
            "error_rate": 0.5,
            "cpu_usage": 90,
            "memory_usage": 80,
            "response_time_ms": 300,
            "db_connections": 9,
        }
    )
    simulation.advance(END - 60)
    simulation.start_fault(fault)
    simulation.advance(END)

    def value(query: str) -> float:
        return promql.instant(tsdb, query, END)[0][1]

    of = '{service="payment-processing"}'
    errors = value(
        'sum(rate(http_requests_total{service="payment-processing",status="500"}[40s]))'
        f" / sum(rate(http_requests_total{of}[40s]))"
    )
    assert ignored == []
    assert 0.35 < errors < 0.65
    assert value(f"avg(rate(process_cpu_seconds_total{of}[40s])) / 0.5") > 0.9
    assert value(f"min(process_resident_memory_bytes{of}) / 768 / 1048576") > 0.75
    assert value(f"min(db_pool_connections_in_use{of})") >= 9.0
    assert (
        value(
            "histogram_quantile(0.5, sum by (le)"
            f" (rate(http_request_duration_seconds_bucket{of}[40s])))"
        )
        > 0.25
    )


def test_custom_fault_that_fills_memory_kills_the_containers() -> None:
    tsdb = Tsdb()
    simulation = Simulation(4, END - 60, tsdb, LogStore())
    fault, _ = custom_fault({"service": "cart", "memory_usage": 100})
    simulation.start_fault(fault)
    simulation.advance(END)

    killed = [pod.last_termination for pod in simulation.cluster.workloads["cart"].pods]

    assert {(t.exit_code, t.reason) for t in killed if t} == {(137, "OOMKilled")}
