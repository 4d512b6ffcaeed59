"""Background work of the correlation app."""

from celery import shared_task

from correlation import engine, queue, retrying
from correlation.memory import snapshots


@shared_task(name="correlation.tasks.analyse")
def analyse(analysis_id: str) -> None:
    """A wake-up: which analysis runs next is decided by the rows, not by the message."""
    engine.run_waiting()


@shared_task(name="correlation.tasks.sweep")
def sweep() -> None:
    queue.sweep()


@shared_task(name="correlation.tasks.repeat")
def repeat() -> None:
    queue.repeat_young()
    retrying.retry_failed()


@shared_task(name="correlation.tasks.prune_snapshots")
def prune_snapshots() -> None:
    snapshots.prune()
