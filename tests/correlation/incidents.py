"""Synthetic incidents of known cause for the ranking tests and the first calibration.

A shop of services whose signals are drawn around healthy levels; a fault is written as what its
mechanism does to each signal, upstream effects included. Nothing here is read by the product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from correlation.telemetry import Change, Direction, LogLine, Series, Telemetry

START = 1_800_000_000.0
EDGES = (
    ("frontend", "catalogue"), ("frontend", "cart"), ("frontend", "checkout"),
    ("checkout", "cart"), ("checkout", "payment"), ("checkout", "inventory"),
    ("payment", "postgres"), ("inventory", "postgres"), ("catalogue", "postgres"),
    ("cart", "redis"),
)  # fmt: skip
ROLES = {"postgres": "database", "redis": "cache"}
SERVICES = ("frontend", "checkout", "cart", "catalogue", "payment", "inventory")
RATES = {
    "frontend": 18.0, "checkout": 6.0, "cart": 11.0, "catalogue": 9.0, "payment": 6.0,
    "inventory": 6.0,
}  # fmt: skip
LEVELS: dict[
    str, tuple[float, float, str, Direction]
] = {  # signal: (healthy level, noise sd, unit, direction)
    "error_ratio": (0.002, 0.002, "ratio", "up"),
    "latency_p95": (0.08, 0.008, "s", "up"),
    "latency_mean": (0.04, 0.003, "s", "up"),
    "callee_mean": (0.025, 0.002, "s", "up"),
    "cpu_saturation": (0.3, 0.03, "ratio", "up"),
    "memory_saturation": (0.5, 0.01, "ratio", "up"),
    "restarts": (0.0, 0.0, "count", "up"),
    "replicas_ready": (1.0, 0.0, "ratio", "down"),
}
POOLED = ("payment", "inventory", "catalogue")

FAULTS = {
    "pool": ("payment", "connection_pool_exhaustion"),
    "crash": ("inventory", "crash_loop"),
    "slow_db": ("postgres", "slow_dependency"),
    "deploy": ("checkout", "bad_deploy"),
    "code": ("cart", "code_error"),
    "cpu": ("catalogue", "cpu_saturation"),
    "oom": ("cart", "oom_kill"),
    "network": ("payment", "network_delay"),
    "redis_down": ("redis", "unavailable"),
}
"""fault: (true service, true kind)."""


@dataclass
class Shop:
    """Random signals of one shop; `bump` adds a fault's effect from the onset on."""

    seed: int
    since: float
    step: float = 5.0
    baseline_seconds: float = 900.0
    late: float = 20.0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.as_of = START + self.since
        self.times = np.arange(START - self.baseline_seconds, self.as_of + 1e-6, self.step)
        self.series: dict[tuple[str, str, str | None], Series] = {}
        self.lines: list[LogLine] = []
        for service in SERVICES:
            for signal, (level, noise, unit, direction) in LEVELS.items():
                self._add(service, signal, level, noise, unit, direction)
            self._add(service, "request_rate", RATES[service], 0.05 * RATES[service], "1/s", "both")
        for service in POOLED:
            self._add(service, "pool_saturation", 0.3, 0.05, "ratio", "up")
            self._add(service, "pool_waiting", 0.0, 0.0, "count", "up")
        for caller, callee in EDGES:
            self._add(caller, "client_error_ratio", 0.001, 0.001, "ratio", "up", callee)
            self._add(caller, "client_latency_p95", 0.03, 0.003, "s", "up", callee)
            rate = min(RATES[caller], RATES.get(callee, 99.0))
            self._add(caller, "client_request_rate", rate, 0.05 * rate, "1/s", "both", callee)
        for at in np.arange(START - self.baseline_seconds, self.as_of, 4.0):
            for service in SERVICES:
                number = int(self.rng.integers(1, 99999))
                self.log(service, float(at), f'level=info msg="handled request" order={number}')

    def _add(
        self, service: str, signal: str, level: float, noise: float, unit: str,
        direction: Direction, peer: str | None = None,
    ) -> None:  # fmt: skip
        values = np.maximum(level + noise * self.rng.standard_normal(self.times.size), 0.0)
        self.series[service, signal, peer] = Series(
            service,
            signal,
            self.times,
            values,
            direction,
            unit,
            peer,
            "prom",
            f"{signal}{{service={service!r}}}",
        )

    def bump(self, service: str, signal: str, by: float, peer: str | None = None) -> None:
        """Raise a signal by `by`, ramping over 15 s as a rate over 30 s does."""
        key = (service, signal, peer)
        if key not in self.series:
            return
        found = self.series[key]
        ramp = np.clip((self.times - START) / 15.0, 0.0, 1.0)
        noise = 1.0 + 0.1 * self.rng.standard_normal(self.times.size)
        values = np.maximum(found.values + by * ramp * noise, 0.0)
        if found.unit == "ratio":
            values = np.minimum(values, 1.0)
        self.series[key] = replace(found, values=values)

    def log(self, service: str, at: float, message: str, level: str = "") -> None:
        self.lines.append(LogLine(service, at, message, level))

    def errors(self, service: str, message: str, per_second: float) -> None:
        if per_second <= 0.0:
            return
        for at in np.arange(START + 1.0, self.as_of, 1.0 / per_second):
            number = int(self.rng.integers(1, 99999))
            self.log(service, float(at), message.replace("#", str(number)), "error")

    def failing(self, service: str, ratio: float, slow: float = 0.0) -> None:
        """`service` fails `ratio` of its requests: so do its callers, in their shares."""
        self.bump(service, "error_ratio", ratio)
        self.slow(service, slow)
        self._callers_fail(service, ratio)

    def slow(self, service: str, seconds: float) -> None:
        """`service` takes longer by `seconds`, and so do those who wait for it."""
        if not seconds:
            return
        self.bump(service, "latency_p95", seconds)
        self.bump(service, "latency_mean", seconds / 2)
        for caller, callee in EDGES:
            if callee == service:
                self.bump(caller, "client_latency_p95", seconds, service)
                self.bump(caller, "callee_mean", seconds / 2)
                self.slow(caller, seconds)

    def _callers_fail(self, service: str, ratio: float) -> None:
        for caller, callee in EDGES:
            if callee == service:
                self.bump(caller, "client_error_ratio", ratio, service)
                rate = self.series[caller, "client_request_rate", service].values[0]
                share = ratio * float(rate) / RATES[caller]
                self.bump(caller, "error_ratio", share)
                self.errors(
                    caller,
                    f'level=error msg="call failed" peer={service} id=#',
                    ratio * float(rate),
                )
                self._callers_fail(caller, share)

    def telemetry(self, target: str | None = "frontend", **changes: object) -> Telemetry:
        started = START + min(self.late, self.since)
        value = Telemetry(
            target=target,
            started_at=started,
            as_of=self.as_of,
            baseline=(START - self.baseline_seconds, START - 120.0),
            window=(START - 120.0, self.as_of),
            series=tuple(self.series.values()),
            logs=tuple(self.lines),
            edges=EDGES,
            roles=dict(ROLES),
            log_source="loki",
            log_query='{namespace="shop"}',
        )
        return replace(value, **changes)  # type: ignore[arg-type]


def healthy(seed: int = 1, since: float = 60.0) -> Telemetry:
    return Shop(seed, since).telemetry()


def incident(fault: str, seed: int = 1, since: float = 60.0, severity: float = 1.0) -> Telemetry:
    """Telemetry `since` seconds after the onset of `fault`; severity scales its effects."""
    shop = Shop(seed, since)
    changes: tuple[Change, ...] = (
        Change("d-0", "frontend", "deploy", START - 3000.0, "frontend v41"),
        Change("d-1", "catalogue" if fault != "cpu" else "cart", "deploy", START - 90.0, "v7"),
    )
    if fault == "pool":
        shop.bump("payment", "pool_saturation", 0.7)
        shop.bump("payment", "pool_waiting", 30 * severity)
        shop.failing("payment", 0.5 * severity, 2.0 * severity)
        text = 'level=error msg="connection pool exhausted" pool=payments waiting=# order=ord-#'
        shop.errors("payment", text, 3.0 * severity)
    elif fault == "crash":
        shop.bump("inventory", "restarts", 3 * severity)
        shop.bump("inventory", "replicas_ready", -0.66 * severity)
        shop.failing("inventory", 0.6 * severity)
    elif fault == "slow_db":
        for service in POOLED:
            shop.bump(service, "client_latency_p95", 0.8 * severity, "postgres")
            shop.bump(service, "pool_saturation", 0.65)
            shop.bump(service, "pool_waiting", 8 * severity)
            shop.bump(service, "callee_mean", 0.4 * severity)
            shop.failing(service, 0.15 * severity, 1.2 * severity)
            shop.errors(service, 'level=error msg="timed out waiting for a connection"', severity)
        for _ in range(int(20 * severity)):
            at = START + float(shop.rng.uniform(1.0, shop.since))
            shop.log("postgres", at, "LOG:  duration: 2345.678 ms  statement: SELECT 1", "info")
    elif fault in ("deploy", "code"):
        service = FAULTS[fault][0]
        shop.failing(service, 0.4 * severity)
        trace = (
            'Traceback (most recent call last):\n  File "/app/orders.py", line 44, in place\n'
            "    total = basket.total\nKeyError: 'total'"
        )
        shop.errors(service, trace, 2.0 * severity)
        if fault == "deploy":
            changes += (Change("d-2", service, "deploy", START - 15.0, f"{service} v2.4.1"),)
    elif fault == "cpu":
        shop.bump("catalogue", "cpu_saturation", 0.68)
        shop.slow("catalogue", 1.5 * severity)
    elif fault == "oom":
        shop.bump("cart", "memory_saturation", 0.48)
        shop.bump("cart", "restarts", 1.5 * severity)
        shop.failing("cart", 0.3 * severity)
        shop.errors("cart", "java.lang.OutOfMemoryError: Java heap space", 0.5 * severity)
    elif fault == "network":
        shop.bump("checkout", "client_latency_p95", 1.5 * severity, "payment")
        shop.bump("checkout", "callee_mean", 0.75 * severity)
        shop.slow("checkout", 1.5 * severity)
    elif fault == "redis_down":
        shop.bump("cart", "client_error_ratio", 0.9 * severity, "redis")
        shop.failing("cart", 0.9 * severity)
        shop.errors(
            "cart", 'level=error msg="redis unreachable" err="dial tcp redis:6379"', 8 * severity
        )
    else:
        raise ValueError(f"unknown fault {fault}")
    return shop.telemetry(changes=changes)
