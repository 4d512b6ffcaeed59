"""What the shop is made of: services, their sizes, and who calls whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NAMESPACE = "shop"
SCRAPE_INTERVAL_SECONDS = 5.0
ROOT_REQUESTS_PER_SECOND = 15.0
HISTORY_SECONDS = 3600.0
MEBIBYTE = 1024.0 * 1024.0

Kind = Literal["http", "store"]
LogFormat = Literal["json", "logfmt", "java", "python", "postgres", "plain"]


@dataclass(frozen=True)
class PoolSpec:
    """A database connection pool of each pod: `size` connections, waits bounded."""

    name: str
    size: int
    acquire_timeout_seconds: float


@dataclass(frozen=True)
class ServiceSpec:
    """One workload. `workers` are the slots of each pod; beyond them requests queue."""

    name: str
    kind: Kind
    log_format: LogFormat
    version: str
    replicas: int
    workers: int
    cpu_limit_cores: float
    memory_limit_bytes: float
    memory_base_bytes: float
    garbage_per_request_bytes: float
    idle_cpu_cores: float
    pool: PoolSpec | None = None


def _service(
    name: str,
    kind: Kind,
    log_format: LogFormat,
    version: str,
    replicas: int,
    workers: int,
    cores: float,
    limit_mebibytes: float,
    base_mebibytes: float,
    pool: PoolSpec | None = None,
) -> ServiceSpec:
    return ServiceSpec(
        name=name,
        kind=kind,
        log_format=log_format,
        version=version,
        replicas=replicas,
        workers=workers,
        cpu_limit_cores=cores,
        memory_limit_bytes=limit_mebibytes * MEBIBYTE,
        memory_base_bytes=base_mebibytes * MEBIBYTE,
        garbage_per_request_bytes=48.0 * 1024.0,
        idle_cpu_cores=0.02 * cores,
        pool=pool,
    )


SERVICES: dict[str, ServiceSpec] = {
    spec.name: spec
    for spec in (
        _service("frontend", "http", "json", "v5.1.0", 3, 64, 0.5, 512, 140),
        _service("checkout", "http", "logfmt", "v3.9.2", 3, 32, 0.5, 512, 120),
        _service("cart", "http", "logfmt", "v2.2.4", 2, 32, 0.5, 256, 70),
        _service(
            "catalogue", "http", "logfmt", "v4.0.7", 3, 32, 0.5, 384, 95,
            PoolSpec("catalogue", 10, 2.0),
        ),
        _service(
            "payment-processing", "http", "java", "v2.4.0", 3, 48, 0.5, 768, 260,
            PoolSpec("payments", 10, 3.0),
        ),
        _service(
            "inventory", "http", "python", "v1.8.3", 3, 32, 0.5, 384, 110,
            PoolSpec("inventory", 8, 2.0),
        ),
        _service("notifications", "http", "logfmt", "v1.3.1", 2, 16, 0.25, 256, 60),
        _service("postgres", "store", "postgres", "16.4", 1, 48, 2.0, 2048, 900),
        _service("redis", "store", "plain", "7.2.5", 1, 64, 1.0, 512, 180),
        _service("queue", "store", "plain", "3.13.7", 1, 64, 1.0, 512, 150),
    )
}  # fmt: skip

CALL_GRAPH: dict[str, tuple[str, ...]] = {
    "frontend": ("catalogue", "cart", "checkout"),
    "checkout": ("cart", "inventory", "payment-processing", "queue"),
    "cart": ("redis",),
    "catalogue": ("redis", "postgres"),
    "payment-processing": ("postgres",),
    "inventory": ("postgres",),
    "queue": ("notifications",),
    "notifications": (),
    "postgres": (),
    "redis": (),
}

POSTGRES_MAX_CONNECTIONS = 200
