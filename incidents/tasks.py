"""Background work of the incidents app."""

from uuid import UUID

from celery import shared_task

from incidents.intake import grouping


@shared_task(name="incidents.tasks.group_delivery")
def group_delivery(delivery_id: str) -> None:
    grouping.run(UUID(delivery_id))


@shared_task(name="incidents.tasks.sweep_deliveries")
def sweep_deliveries() -> None:
    grouping.sweep()


@shared_task(name="incidents.tasks.resolve_quiet")
def resolve_quiet() -> None:
    grouping.resolve_quiet()
