"""Workloads while they run: pods, their lives and deaths, and what is wrong with them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field

from lab.meters import PodMeters, SeriesTable
from lab.processes import EventLoop, Slots
from lab.world import MEBIBYTE, NAMESPACE, ServiceSpec

GARBAGE_LIMIT_BYTES = 48.0 * MEBIBYTE
POD_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass
class Conditions:
    """What faults do to one service; the defaults are health."""

    error_probability: float = 0.0
    added_latency_seconds: float = 0.0
    io_factor: float = 1.0
    cpu_burn: float = 0.0  # share of the pod's CPU limit taken by something else, 0..1
    memory_share: float = 0.0  # share of the pod's memory limit that memory grows to, 0..1
    pool_size: int | None = None
    pool_hold_seconds: float = 0.0
    pool_occupied: int = 0
    crash_after_seconds: float | None = None


@dataclass(frozen=True)
class Release:
    """One version of a service, as a ReplicaSet runs it."""

    version: str
    template_hash: str
    revision: int
    created_at: float
    change_cause: str
    error_probability: float = 0.0
    earlier_revisions: tuple[int, ...] = ()  # of a version that was rolled back to


def template_hash(service: str, version: str, revision: int) -> str:
    """Ten letters, stable for a service, version and revision, as Kubernetes names ReplicaSets."""
    digest = hashlib.sha256(f"{service}/{version}/{revision}".encode()).hexdigest()
    return digest[:10]


@dataclass
class Termination:
    """How a container ended: times in epoch seconds."""

    exit_code: int
    reason: str
    started_at: float
    finished_at: float


class Pod:
    """One container with its slots, pool, meters, CPU and memory."""

    def __init__(
        self,
        loop: EventLoop,
        table: SeriesTable,
        workload: Workload,
        name: str,
        release: Release,
        created_at: float,
        number: int,
    ) -> None:
        self.loop = loop
        self.table = table
        self.workload = workload
        self.spec: ServiceSpec = workload.spec
        self.name = name
        self.release = release
        self.created_at = created_at
        self.node = f"node-{1 + number % 3}"
        self.ip = f"10.42.{1 + number % 3}.{10 + number}"
        self.labels = {"service": self.spec.name, "namespace": NAMESPACE, "pod": name}
        self.epoch = 0
        self.restarts = 0
        self.crash_streak = 0
        self.running = True
        self.ready = True
        self.deleted = False
        self.back_off_seconds = 0.0
        self.last_termination: Termination | None = None
        self.ready_changed_at = created_at
        self.started_at = created_at
        self.log_labels: dict[str, dict[str, str]] = {}
        self._begin(created_at)

    def _begin(self, at: float) -> None:
        self.started_at = at
        self.meters = PodMeters(self.table, self.labels, self.spec.kind == "http")
        self.workers = Slots(self.loop, self.spec.workers)
        self.pool = Slots(self.loop, self.spec.pool.size) if self.spec.pool else None
        self._occupied = 0
        self.cpu_seconds = 0.0
        self._accounted_at = self.loop.now
        self._accounted_served = 0
        self._garbage_bytes = 0.0
        self._ballast_bytes = 0.0
        self.slowdown = 1.0
        self.pending_messages = 0

    def start(self, at: float) -> None:
        """Begin a new life: counters from 0, empty queues."""
        self._begin(at)
        self.running = True
        self.ready = False
        self.settle()

    def become_ready(self) -> None:
        self.ready = True
        self.ready_changed_at = self.loop.now

    def stop(self) -> None:
        """End this life: those who wait here, and requests in flight, see the pod gone."""
        if self.ready:
            self.ready_changed_at = self.loop.now
        self.epoch += 1
        self.running = False
        self.ready = False
        self.workers.break_up()
        if self.pool is not None:
            self.pool.break_up()

    def settle(self) -> None:
        """Bring slots, pool and speed in line with the service's conditions."""
        conditions = self.workload.conditions
        self.account()
        # Work shares the CPU with what burns it; a saturated pod still crawls.
        self.slowdown = 1.0 / (1.0 - min(0.97, conditions.cpu_burn))
        if self.pool is not None and self.spec.pool is not None:
            size = conditions.pool_size or self.spec.pool.size
            occupied = min(conditions.pool_occupied, size)
            self.pool.resize(size)
            self.pool.occupy(occupied - self._occupied)
            self._occupied = occupied

    def account(self) -> None:
        """Book CPU and memory up to now."""
        now = self.loop.now
        elapsed = now - self._accounted_at
        self._accounted_at = now
        if not self.running or elapsed <= 0.0:
            return
        conditions = self.workload.conditions
        limit = self.spec.cpu_limit_cores
        self.cpu_seconds += elapsed * (self.spec.idle_cpu_cores + conditions.cpu_burn * limit)
        served = self.meters.served - self._accounted_served
        self._accounted_served = self.meters.served
        self._garbage_bytes += served * self.spec.garbage_per_request_bytes
        if self._garbage_bytes > GARBAGE_LIMIT_BYTES:
            self._garbage_bytes *= 0.1
        target = conditions.memory_share * self.spec.memory_limit_bytes
        wanted = max(0.0, target - self.spec.memory_base_bytes)
        self._ballast_bytes += (wanted - self._ballast_bytes) * min(1.0, elapsed / 5.0)

    @property
    def memory_bytes(self) -> float:
        return self.spec.memory_base_bytes + self._garbage_bytes + self._ballast_bytes


@dataclass
class Workload:
    """A Deployment: its pods, releases (oldest first) and conditions."""

    spec: ServiceSpec
    pods: list[Pod] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    conditions: Conditions = field(default_factory=Conditions)
    endpoints: list[Pod] = field(default_factory=list)
    rollout_number: int = 0
    _turn: int = 0

    @property
    def name(self) -> str:
        return self.spec.name

    def pick(self) -> Pod | None:
        """The next pod behind the service's address, round robin; None when there is none."""
        endpoints = self.endpoints
        if not endpoints:
            return None
        self._turn += 1
        return endpoints[self._turn % len(endpoints)]

    def refresh_endpoints(self) -> None:
        self.endpoints = [pod for pod in self.pods if pod.ready]


def pod_name(rng: random.Random, service: str, release: Release) -> str:
    suffix = "".join(rng.choice(POD_NAME_LETTERS) for _ in range(5))
    return f"{service}-{release.template_hash}-{suffix}"
