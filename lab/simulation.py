"""The shop as a running simulation: visitors, scrapes, faults, on one virtual clock."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from lab.cluster import Cluster
from lab.faults import CUSTOM, FAULTS, Fault
from lab.flows import ROOTS
from lab.logbook import LogBook, LogSink
from lab.logstore import LogStore
from lab.mesh import Mesh, Operation, Request, failed
from lab.meters import Sample, SeriesTable
from lab.pods import Conditions
from lab.processes import EventLoop, Process
from lab.scrape import Collector, MetricSink, Scraper
from lab.traces import TraceStore
from lab.tsdb import Tsdb
from lab.world import ROOT_REQUESTS_PER_SECOND, SCRAPE_INTERVAL_SECONDS

WAVE_PERIOD_SECONDS = 1500.0
WAVE_SHARE = 0.08
TRACES_PER_SECOND = 1.0
CHECKPOINT_SECONDS = 300.0
ROOT_DEADLINE_SECONDS = 10.0


@dataclass(frozen=True)
class ActiveFault:
    fault: Fault
    started_at: float


class Simulation:
    """One seeded run. Not thread-safe: whoever drives it holds a lock."""

    def __init__(self, seed: int, start: float, metrics: MetricSink, logs: LogSink) -> None:
        self._rng = random.Random(seed)
        self._phase = self._rng.uniform(0.0, 2.0 * math.pi)
        self.loop = EventLoop(start)
        self.table = SeriesTable()
        book = LogBook(self.loop, logs)
        self.cluster = Cluster(self.loop, self._rng, self.table, book)
        self.mesh = Mesh(self.loop, self._rng, self.cluster.workloads, book)
        self.traces = TraceStore()
        self.active: dict[str, ActiveFault] = {}
        self.after_scrape: list[Callable[[float], None]] = []
        self._collector = Collector(self.cluster, self.table)
        self._scraper = Scraper(self._collector, metrics)
        self._next_scrape = math.ceil(start / SCRAPE_INTERVAL_SECONDS) * SCRAPE_INTERVAL_SECONDS
        self.loop.spawn(self._visitors())
        self.loop.spawn(self._checkpoints())

    @property
    def now(self) -> float:
        """Virtual time in epoch seconds."""
        return self.loop.now

    def advance(self, until: float) -> None:
        """Run to `until`, scraping on the way at whole multiples of the interval."""
        while self._next_scrape <= until:
            at = self._next_scrape
            self.loop.run_until(at)
            self.cluster.housekeeping()
            self._scraper.scrape(at)
            self._next_scrape = at + SCRAPE_INTERVAL_SECONDS
            for listener in self.after_scrape:
                listener(at)
        self.loop.run_until(until)

    def fast_forward(self, until: float) -> None:
        """As `advance`, for long stretches that nobody watches: cheaper by half."""
        self._scraper.hold()
        collecting = gc.isenabled()
        gc.disable()  # a hundred thousand short-lived generators, none of them in cycles
        try:
            self.advance(until)
        finally:
            if collecting:
                gc.enable()
            self._scraper.flush()

    def samples(self) -> list[Sample]:
        """The current scrape."""
        for workload in self.cluster.workloads.values():
            for pod in workload.pods:
                pod.account()
        return list(self._collector.samples())

    def start_fault(self, fault: Fault) -> bool:
        """Begin a fault; False if it is on already (a custom one is replaced)."""
        if fault.id in self.active and fault.id != CUSTOM:
            return False
        self.active[fault.id] = ActiveFault(fault, self.now)
        self._settle()
        if fault.begin is not None:
            fault.begin(self.cluster)
        return True

    def stop_fault(self, fault_id: str) -> bool:
        """End a fault; False if it was not on."""
        active = self.active.pop(fault_id, None)
        if active is None:
            return False
        self._settle()
        if active.fault.end is not None:
            active.fault.end(self.cluster)
        return True

    def _settle(self) -> None:
        """Make every service's conditions the sum of the active faults."""
        for workload in self.cluster.workloads.values():
            for pod in workload.pods:
                pod.account()
            workload.conditions = Conditions()
        for active in self.active.values():
            active.fault.apply(self.cluster.workloads[active.fault.service].conditions)
        for workload in self.cluster.workloads.values():
            for pod in workload.pods:
                if pod.running:
                    pod.settle()

    def _visitors(self) -> Process[None]:
        """Poisson arrivals on a mild wave."""
        rng, loop = self._rng, self.loop
        highest = ROOT_REQUESTS_PER_SECOND * (1.0 + WAVE_SHARE)
        browse, carts = ROOTS[0][0], ROOTS[0][0] + ROOTS[1][0]
        turn = 2.0 * math.pi / WAVE_PERIOD_SECONDS
        while True:
            yield loop.now + rng.expovariate(highest)
            wave = 1.0 + WAVE_SHARE * math.sin(turn * loop.now + self._phase)
            if rng.random() * (1.0 + WAVE_SHARE) > wave:
                continue
            draw = rng.random()
            number = 0 if draw < browse else 1 if draw < carts else 2
            loop.spawn(self._visit(ROOTS[number][1]))

    def _visit(self, operation: Operation) -> Process[None]:
        request = Request(self._rng)
        deadline = self.loop.now + ROOT_DEADLINE_SECONDS
        status = yield from self.mesh.call(request, None, operation, deadline, -1)
        sampled = self._rng.random() < TRACES_PER_SECOND / ROOT_REQUESTS_PER_SECOND
        if sampled or failed(status):
            self.traces.add(request)

    def _checkpoints(self) -> Process[None]:
        """The database's own chatter."""
        while True:
            yield self.loop.now + CHECKPOINT_SECONDS * self._rng.uniform(0.95, 1.05)
            for pod in self.cluster.workloads["postgres"].pods:
                if pod.running:
                    buffers = self._rng.randrange(400, 900)
                    self.mesh.logs.write(
                        pod, "info",
                        f"checkpoint complete: wrote {buffers} buffers ({buffers / 163.84:.1f}%)",
                        pid=64,
                    )  # fmt: skip


@dataclass(frozen=True)
class Recording:
    """What a finished run left behind; `fault_at` is None in a healthy one."""

    tsdb: Tsdb
    logs: LogStore
    simulation: Simulation
    start_at: float
    end_at: float
    fault: Fault | None
    fault_at: float | None


def run(
    seed: int, healthy_seconds: float, fault: str | None, fault_seconds: float, end_at: float
) -> Recording:
    """Simulate `healthy_seconds` of health, then `fault_seconds` of a fault, up to `end_at`.

    Raises KeyError for an unknown fault id.
    """
    chosen = FAULTS[fault] if fault is not None else None
    span = healthy_seconds + (fault_seconds if chosen else 0.0)
    tsdb, logs = Tsdb(), LogStore()
    simulation = Simulation(seed, end_at - span, tsdb, logs)
    fault_at = None
    if chosen is not None:
        fault_at = end_at - fault_seconds
        simulation.fast_forward(fault_at)
        simulation.start_fault(chosen)
    simulation.fast_forward(end_at)
    return Recording(tsdb, logs, simulation, end_at - span, end_at, chosen, fault_at)
