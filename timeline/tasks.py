"""Background work of the timeline app."""

from celery import shared_task

from timeline.images import sweeping
from timeline.reporting import queue, writing


@shared_task(name="timeline.tasks.write_reports")
def write_reports() -> None:
    """A wake-up, and the sweep: which report is written is decided by the rows."""
    queue.sweep()
    writing.run_waiting()


@shared_task(name="timeline.tasks.prune_images")
def prune_images() -> None:
    sweeping.sweep()
