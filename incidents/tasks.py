"""Background work of the incidents app."""

from celery import shared_task

from incidents import converging
from incidents.intake import grouping, recovery


@shared_task(name="incidents.tasks.group_waiting")
def group_waiting() -> None:
    grouping.run_waiting()


@shared_task(name="incidents.tasks.sweep_deliveries")
def sweep_deliveries() -> None:
    grouping.sweep()


@shared_task(name="incidents.tasks.resolve_quiet")
def resolve_quiet() -> None:
    recovery.resolve_quiet()


@shared_task(name="incidents.tasks.converge")
def converge() -> None:
    converging.sweep()
