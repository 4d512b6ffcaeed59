"""Background work of the incidents app."""

from celery import shared_task

from incidents import converging
from incidents.intake import grouping, recovery, replay
from incidents.upkeep import flapping, heartbeats, maintenance, reconcile, stale


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


@shared_task(name="incidents.tasks.reconcile_alerts")
def reconcile_alerts() -> None:
    reconcile.reconcile_all()


@shared_task(name="incidents.tasks.keep_alerts")
def keep_alerts() -> None:
    """What only time does to alerts: they go stale, calm down, fall silent, are held no longer."""
    stale.mark_stale()
    flapping.end_quiet()
    heartbeats.check()
    maintenance.release()


@shared_task(name="incidents.tasks.prune_deliveries")
def prune_deliveries() -> None:
    replay.prune()
