"""The lab in real time: the simulation driven by the wall clock, behind one lock."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from lab.alerts import Alert, Evaluator
from lab.exposition import FAMILIES, text
from lab.faults import CUSTOM, FAULTS, Fault, custom_fault
from lab.inbox import Inbox
from lab.logstore import LogStore
from lab.simulation import Simulation
from lab.tsdb import Tsdb
from lab.webhooks import Dispatcher, rfc3339

logger = logging.getLogger("lab")

TICK_SECONDS = 1.0
CHANGES_PATH = "/api/intake/changes"


class NotReadyError(Exception):
    """The history is still being simulated."""


class UnknownFaultError(KeyError):
    """No fault has this id."""


class Lab:
    def __init__(
        self, seed: int, history_seconds: float, webhook_url: str = "", token: str = ""
    ) -> None:
        self.seed = seed
        self.history_seconds = history_seconds
        self.tsdb = Tsdb()
        self.logs = LogStore()
        self.lock = threading.RLock()
        self.failure = ""
        self.inbox = Inbox()
        self.up_since = time.time()
        self._simulation: Simulation | None = None
        self._evaluator = Evaluator(self.tsdb)
        self._webhook_url = webhook_url
        self._dispatcher = Dispatcher(webhook_url, token) if webhook_url else None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="clock", daemon=True)
        for name, (kind, about, unit) in FAMILIES.items():
            self.tsdb.describe(name, kind, about, unit)

    @property
    def ready(self) -> bool:
        return self._simulation is not None

    @property
    def simulation(self) -> Simulation:
        """The running simulation; hold `lock` while using it. Raises NotReadyError."""
        if self._simulation is None:
            raise NotReadyError
        return self._simulation

    def start(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=3.0)
        if self._dispatcher is not None:
            self._dispatcher.stop()

    def _work(self) -> None:
        try:
            self._fast_forward()
            while not self._stopping.wait(TICK_SECONDS - time.time() % TICK_SECONDS):
                with self.lock:
                    self.simulation.advance(time.time())
        except Exception as error:
            # The telemetry must not stand still and look healthy: /lab/status and every
            # telemetry path say that the lab broke.
            logger.exception("the simulation stopped")
            with self.lock:
                self.failure = f"{type(error).__name__}: {error}"
                self._simulation = None

    def _fast_forward(self) -> None:
        began, cpu = time.time(), time.process_time()
        simulation = Simulation(self.seed, began - self.history_seconds, self.tsdb, self.logs)
        # In steps, so that a stop is heeded and the end meets the wall clock.
        while simulation.now < time.time() - 2.0 and not self._stopping.is_set():
            simulation.fast_forward(min(time.time(), simulation.now + 300.0))
        simulation.after_scrape.append(self._evaluate)
        logger.info(
            "history of %.0f s simulated in %.1f s (%.1f s of CPU)",
            self.history_seconds, time.time() - began, time.process_time() - cpu,
        )  # fmt: skip
        with self.lock:
            self._simulation = simulation

    def _evaluate(self, at: float) -> None:
        alerts = self._evaluator.evaluate(at)
        if self._dispatcher is not None and alerts:
            self._dispatcher.take(alerts)

    def firing(self) -> list[Alert]:
        """The alerts that fire; raises NotReadyError."""
        with self.lock:
            _ = self.simulation
            return self._evaluator.firing()

    def exposition(self) -> bytes:
        """The current scrape in Prometheus text format."""
        with self.lock:
            return text(self.simulation.samples())

    def status(self) -> dict[str, Any]:
        with self.lock:
            simulation = self._simulation
            if simulation is None:
                return {
                    "ready": False,
                    "error": self.failure,
                    "history_seconds": self.history_seconds,
                }
            return {
                "ready": True,
                "error": "",
                "seed": self.seed,
                "history_seconds": self.history_seconds,
                "now": rfc3339(simulation.now),
                "wall_clock": rfc3339(time.time()),
                "services": {
                    name: {
                        "pods": len(workload.pods),
                        "ready": sum(pod.ready for pod in workload.pods),
                        "pool": workload.spec.pool.name if workload.spec.pool else None,
                    }
                    for name, workload in simulation.cluster.workloads.items()
                },
                "active_faults": [
                    {
                        "id": active.fault.id,
                        "title": active.fault.title,
                        "started_at": rfc3339(active.started_at),
                    }
                    for active in simulation.active.values()
                ],
            }

    def faults(self) -> list[dict[str, Any]]:
        """All faults with their ground truth, and whether each is on."""
        with self.lock:
            active = self.simulation.active
            known = list(FAULTS.values())
            if CUSTOM in active:
                known.append(active[CUSTOM].fault)
            return [
                {
                    "id": fault.id,
                    "title": fault.title,
                    "description": fault.description,
                    "service": fault.service,
                    "kind": fault.kind,
                    "active": fault.id in active,
                    "started_at": rfc3339(active[fault.id].started_at)
                    if fault.id in active
                    else None,
                }
                for fault in known
            ]

    def start_fault(self, fault_id: str) -> bool:
        """Begin a fault now; False if it was on. Raises UnknownFaultError."""
        if fault_id not in FAULTS:
            raise UnknownFaultError(fault_id)
        return self._begin(FAULTS[fault_id])

    def start_custom_fault(self, payload: object) -> list[str]:
        """Begin the fault a payload describes, instead of an earlier custom one.

        Returns the fields that have no effect on its service. Raises BadField.
        """
        fault, ignored = custom_fault(payload)
        self._begin(fault)
        return ignored

    def _begin(self, fault: Fault) -> bool:
        with self.lock:
            simulation = self.simulation
            simulation.advance(time.time())
            begun = simulation.start_fault(fault)
            at = simulation.now
        if begun and fault.change and self._dispatcher is not None:
            parts = urlsplit(self._webhook_url)
            url = urlunsplit((parts.scheme, parts.netloc, CHANGES_PATH, "", ""))
            self._dispatcher.post_once(url, {**fault.change, "at": rfc3339(at)})
        return begun

    def stop_fault(self, fault_id: str) -> bool:
        """End a fault; False if it was not on. Raises UnknownFaultError."""
        if fault_id not in FAULTS and fault_id != CUSTOM:
            raise UnknownFaultError(fault_id)
        with self.lock:
            self.simulation.advance(time.time())
            return self.simulation.stop_fault(fault_id)

    def stop_all_faults(self) -> list[str]:
        """End all faults; returns their ids."""
        with self.lock:
            self.simulation.advance(time.time())
            ids = list(self.simulation.active)
            for fault_id in ids:
                self.simulation.stop_fault(fault_id)
            return ids
