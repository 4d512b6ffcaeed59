"""Celery workers and beat as threads of the embedded server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import Celery, signals
from celery.beat import EmbeddedService, Scheduler
from celery.worker import WorkController
from celery.worker import state as worker_state
from django.conf import settings

from correlation import queue
from incidents.notify import deliveries
from reliability_studio.celery import app
from timeline.reporting import queue as reports

logger = logging.getLogger(__name__)
STUDIO_THREADS = 4
NOTIFICATION_THREADS = 4
RESTART_PAUSE_SECONDS = 1.0

Wait = Callable[[threading.Event], None]
"""Returns when work may begin, or soon after the event is set."""


class QueueWorker(threading.Thread):
    """One Celery worker for one queue, with its own thread pool; restarted if it ever ends."""

    def __init__(self, queue: str, threads: int, wait: Wait | None = None) -> None:
        super().__init__(name=f"worker-{queue}", daemon=True)
        self.queue = queue
        self.threads = threads
        self.stopping = threading.Event()
        self._wait = wait

    def run(self) -> None:
        if self._wait is not None:
            self._wait(self.stopping)
        while not self.stopping.is_set():
            try:
                self._work()
            except Exception:
                logger.exception("worker of queue %s failed", self.queue)
            if not self.stopping.is_set():
                logger.error("worker of queue %s ended, starting it again", self.queue)
                time.sleep(RESTART_PAUSE_SECONDS)

    def _work(self) -> None:
        WorkController(
            app=_with_own_queues(app),
            hostname=f"{self.queue}@embedded",
            queues=[self.queue],
            pool="threads",
            concurrency=self.threads,
            # kombu's event loop is one per process, and we are several workers
            use_eventloop=False,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        ).start()


def _with_own_queues(original: Celery) -> Celery:
    """A twin of the application that shares its tasks and settings, not its queue selection.

    Celery keeps the selected queues on the application, so that the second worker of a
    process would take the first one's away.
    """
    twin: Celery = object.__new__(type(original))
    twin.__dict__.update(original.__dict__)
    twin.__dict__.pop("amqp", None)
    return twin


class Background:
    """All background work of one process; analyses begin when `wait_for_telemetry` is over."""

    def __init__(self, wait_for_telemetry: Wait | None = None) -> None:
        self._workers = [
            QueueWorker("studio", STUDIO_THREADS),
            # analyses have their own threads, so that they starve nothing
            QueueWorker("correlation", settings.CORRELATION_SLOTS, wait_for_telemetry),
            # likewise: a receiver that hangs holds one of these
            QueueWorker("notifications", NOTIFICATION_THREADS),
        ]
        self._beat: Any = None

    def start(self) -> None:
        """Start workers and beat; sweepers run at once, for what a crash left behind."""
        if settings.EMBEDDED:
            # nobody else can hold them: their process is gone
            queue.release_leases()
            reports.release_leases()
            deliveries.release_leases()
        # its own setup would replace our logging
        signals.setup_logging.connect(_keep_logging, weak=False)
        app.loader.import_default_modules()
        app.finalize()
        worker_state.should_stop = None
        for worker in self._workers:
            worker.start()
        # the plain Scheduler keeps its times in memory, the default one in the current folder
        self._beat = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)
        self._beat.start()
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
            if name.startswith("sweep-"):
                app.send_task(entry["task"])

    @staticmethod
    def begin_slos() -> None:
        """Evaluate SLOs as soon as telemetry answers: analyses wait for it, and so does this."""
        app.send_task("slos.tasks.begin", queue="correlation")

    def stop(self, patience_seconds: float) -> bool:
        """Take no new work and wait for what runs; whether all of it ended in time.

        What did not is found again by its sweeper: nothing is acknowledged before its end.
        """
        deadline = time.monotonic() + patience_seconds
        for worker in self._workers:
            worker.stopping.set()
        worker_state.should_stop = 0  # each worker's loop looks at it
        if self._beat is not None:
            self._beat.service.stop()
        threads = [*self._workers, *([self._beat] if self._beat is not None else [])]
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)


def _keep_logging(**kwargs: Any) -> None:
    """A receiver of setup_logging is all it takes to keep Celery from setting it up."""
