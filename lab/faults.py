"""Faults of known cause. Each changes the parameters of one service; the rest follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.cluster import Cluster
from lab.pods import Conditions
from lab.world import SERVICES

CUSTOM = "custom"
BAD_VERSION = "v3.10.0"


def _nothing(conditions: Conditions) -> None:
    return None


@dataclass(frozen=True)
class Fault:
    """`service` and `kind` are the ground truth: never part of any telemetry.

    `apply` sets conditions and may run many times; `begin` and `end` act once.
    `change` is what a deploy tool would report: fields of a change event.
    """

    id: str
    title: str
    description: str
    service: str
    kind: str
    apply: Callable[[Conditions], None] = _nothing
    begin: Callable[[Cluster], None] | None = None
    end: Callable[[Cluster], None] | None = None
    change: Mapping[str, str] | None = None


def _exhaust_pool(conditions: Conditions) -> None:
    # 4 connections a pod, each kept 6 s: 0.7 a second for 1.7 charges a second.
    conditions.pool_size = 4
    conditions.pool_hold_seconds = 6.0


def _announce_pool(cluster: Cluster) -> None:
    for pod in cluster.workloads["payment-processing"].pods:
        if pod.running and pod.pool is not None:
            cluster.logs.write(
                pod, "info", "pool configured", pool="payments", max=pod.pool.capacity
            )


def _crash(conditions: Conditions) -> None:
    conditions.crash_after_seconds = 3.0


def _begin_crashes(cluster: Cluster) -> None:
    for number, pod in enumerate(cluster.workloads["inventory"].pods):
        if pod.running:
            cluster.loop.spawn(cluster.crash_later(pod, 1.0 + 0.7 * number))


def _slow_disk(conditions: Conditions) -> None:
    conditions.io_factor = 45.0


def _deploy(cluster: Cluster) -> None:
    cause = f"checkout {BAD_VERSION}: new price rounding"
    cluster.roll_out(cluster.workloads["checkout"], BAD_VERSION, cause, error_probability=0.4)


def _roll_back(cluster: Cluster) -> None:
    version = SERVICES["checkout"].version
    cluster.roll_out(cluster.workloads["checkout"], version, f"checkout {version}: roll back")


FAULTS: dict[str, Fault] = {
    fault.id: fault
    for fault in (
        Fault(
            id="pool-exhaustion",
            title="Connection pool exhausted",
            description="payment-processing keeps its few database connections too long, so"
            " that charges wait for one and fail.",
            service="payment-processing",
            kind="connection_pool_exhaustion",
            apply=_exhaust_pool,
            begin=_announce_pool,
            end=_announce_pool,
        ),
        Fault(
            id="crash-loop",
            title="Crash loop",
            description="The inventory containers exit soon after each start and are restarted"
            " with growing pauses.",
            service="inventory",
            kind="crash_loop",
            apply=_crash,
            begin=_begin_crashes,
        ),
        Fault(
            id="slow-database",
            title="Slow database",
            description="The disk under postgres becomes some forty times slower, and every"
            " statement with it.",
            service="postgres",
            kind="slow_dependency",
            apply=_slow_disk,
        ),
        Fault(
            id="error-deploy",
            title="Bad deploy",
            description="A new version of checkout rolls out that throws an exception in two of"
            " five requests.",
            service="checkout",
            kind="bad_deploy",
            begin=_deploy,
            end=_roll_back,
            change={
                "service": "checkout",
                "kind": "deploy",
                "ref": BAD_VERSION,
                "author": "deploy-bot",
                "description": f"checkout {BAD_VERSION}: new price rounding",
            },
        ),
    )
}


class BadField(ValueError):
    """One field of a custom fault is missing, unknown or out of range; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


RANGES: dict[str, tuple[float, float, str]] = {
    "error_rate": (0.0, 1.0, "a share from 0 to 1"),
    "cpu_usage": (0.0, 100.0, "percent from 0 to 100"),
    "memory_usage": (0.0, 100.0, "percent from 0 to 100"),
    "response_time_ms": (0.0, 60_000.0, "milliseconds from 0 to 60000"),
    "db_connections": (0.0, 10_000.0, "connections from 0 to 10000"),
}


def custom_fault(payload: object) -> tuple[Fault, list[str]]:
    """The fault that a payload asks for, and the fields that do not apply to its service.

    Raises BadField.
    """
    if not isinstance(payload, dict):
        raise BadField("body", "must be a JSON object")
    for field in payload:
        if field != "service" and field not in RANGES:
            raise BadField(str(field), "is not known")
    service = payload.get("service")
    if not isinstance(service, str) or service not in SERVICES:
        raise BadField("service", f"must be one of {', '.join(SERVICES)}")
    numbers: dict[str, float] = {}
    for field, (lowest, highest, words) in RANGES.items():
        value = payload.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadField(field, f"must be {words}")
        if not lowest <= value <= highest:
            raise BadField(field, f"must be {words}")
        numbers[field] = float(value)

    def apply(conditions: Conditions) -> None:
        conditions.error_probability = max(
            conditions.error_probability, numbers.get("error_rate", 0.0)
        )
        conditions.cpu_burn = max(conditions.cpu_burn, numbers.get("cpu_usage", 0.0) / 100.0)
        conditions.memory_share = numbers.get("memory_usage", 0.0) / 100.0
        conditions.added_latency_seconds += numbers.get("response_time_ms", 0.0) / 1000.0
        conditions.pool_occupied = int(numbers.get("db_connections", 0.0))

    pooled = SERVICES[service].pool is not None or service == "postgres"
    ignored = ["db_connections"] if "db_connections" in numbers and not pooled else []
    fault = Fault(
        id=CUSTOM,
        title=f"Custom fault at {service}",
        description="Set by POST /lab/fail: "
        + (", ".join(f"{field}={value:g}" for field, value in numbers.items()) or "no effect"),
        service=service,
        kind=CUSTOM,
        apply=apply,
    )
    return fault, ignored
