"""Background work of the incidents app."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from incidents import archiving
from incidents.intake import grouping, recovery, replay, waiting
from incidents.merges import converging
from incidents.models import AlertSource
from incidents.notify import deliveries as notifications
from incidents.upkeep import flapping, heartbeats, maintenance, reconcile, stale

UP_SINCE = timezone.now()
"""When this process began."""


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
    """One task a source: an Alertmanager that does not answer holds up no other's."""
    for source_id in reconcile.sources():
        reconcile_source.delay(str(source_id))


@shared_task(name="incidents.tasks.reconcile_source")
def reconcile_source(source_id: str) -> None:
    reconcile.reconcile(AlertSource.objects.get(pk=source_id))


@shared_task(name="incidents.tasks.mark_stale_alerts")
def mark_stale_alerts() -> None:
    stale.mark_stale()


@shared_task(name="incidents.tasks.end_flapping")
def end_flapping() -> None:
    flapping.end_quiet()


@shared_task(name="incidents.tasks.check_heartbeats")
def check_heartbeats() -> None:
    heartbeats.check(up_since=UP_SINCE)


@shared_task(name="incidents.tasks.release_maintenance")
def release_maintenance() -> None:
    maintenance.release()


@shared_task(name="incidents.tasks.release_waiting")
def release_waiting() -> None:
    waiting.release()


@shared_task(name="incidents.tasks.archive_due")
def archive_due() -> None:
    archiving.archive_due()


@shared_task(name="incidents.tasks.prune_deliveries")
def prune_deliveries() -> None:
    replay.prune()


@shared_task(name="incidents.tasks.send_notifications")
def send_notifications() -> None:
    """One task a channel: one that hangs holds up no other."""
    for channel_id in notifications.due_channels():
        notify_channel.delay(str(channel_id))


@shared_task(name="incidents.tasks.notify_channel")
def notify_channel(channel_id: str) -> None:
    notifications.run_channel(UUID(channel_id))
