"""From stored occurrences to incidents: one open incident a service (DESIGN: intake stores,
a task groups).

A delivery is claimed by a guarded update under a lease; a lost one is swept. Grouping again
is harmless: an occurrence that has its incident is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from incidents import edits, lifecycle, signals
from incidents.models import (
    AffectedService,
    Alert,
    AlertOccurrence,
    Delivery,
    Incident,
    Service,
    Severity,
    Status,
)

logger = logging.getLogger("studio.intake")
LEASE = timedelta(seconds=30)
UNCLAIMED_AFTER = timedelta(seconds=5)
MAX_ATTEMPTS = 5
OLDEST_CREDIBLE_CLAIM = timedelta(hours=24)
SEVERITIES = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "high": Severity.HIGH,
    "error": Severity.HIGH,
    "major": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "minor": Severity.MEDIUM,
    "info": Severity.LOW,
    "low": Severity.LOW,
    "none": Severity.LOW,
}
SERVICE_LABELS = ("service", "app", "app_kubernetes_io_name", "deployment", "job")


def wake(delivery_id: UUID) -> None:
    """Send the wake-up after commit; without a broker the sweeper finds the row."""
    from incidents.tasks import group_delivery

    def send() -> None:
        try:
            group_delivery.delay(str(delivery_id))
        except Exception as error:  # kombu's errors differ by transport
            logger.warning("broker unavailable, delivery %s waits: %s", delivery_id, error)

    transaction.on_commit(send, robust=True)


def run(delivery_id: UUID) -> bool:
    """Claim and group one delivery; False when another has it."""
    now = timezone.now()
    free = Q(state=Delivery.State.QUEUED) | Q(state=Delivery.State.GROUPING, lease_until__lte=now)
    if not Delivery.objects.filter(free, pk=delivery_id).update(
        state=Delivery.State.GROUPING, lease_until=now + LEASE, attempt=F("attempt") + 1
    ):
        return False
    delivery = Delivery.objects.select_related("source").get(pk=delivery_id)
    try:
        _group(delivery)
    except Exception as error:
        logger.exception("grouping delivery %s failed", delivery_id)
        final = delivery.attempt >= MAX_ATTEMPTS
        delivery.state = Delivery.State.FAILED if final else Delivery.State.QUEUED
        delivery.error = f"{type(error).__name__}: {error}"[:2000]
    else:
        delivery.state = Delivery.State.DONE
        delivery.error = ""
    delivery.lease_until = None
    delivery.save(update_fields=["state", "error", "lease_until"])
    return True


def sweep(now: datetime | None = None) -> int:
    """Group the deliveries that lost their wake-up or their worker; how many."""
    now = now or timezone.now()
    lost = Q(state=Delivery.State.GROUPING, lease_until__lte=now)
    late = Q(state=Delivery.State.QUEUED, received_at__lte=now - UNCLAIMED_AFTER)
    waiting = Delivery.objects.filter(lost | late).order_by("received_at")[:200]
    return sum(run(pk) for pk in waiting.values_list("pk", flat=True))


def _group(delivery: Delivery) -> None:
    occurrences = (
        AlertOccurrence.objects.filter(delivery=delivery)
        .select_related("alert", "incident")
        .order_by("started_at", "id")
    )
    for occurrence in occurrences:
        if occurrence.incident is None and occurrence.resolved_at is None:
            _join(occurrence, delivery.source.environment)
        elif occurrence.incident is not None and occurrence.resolved_at is not None:
            _note_recovery(occurrence)
            signals.occurrence_resolved.send(
                Incident,
                incident=occurrence.incident,
                occurrence=occurrence,
                alert=occurrence.alert,
            )


def _join(occurrence: AlertOccurrence, environment: str) -> None:
    """Open the incident of the occurrence's service, or join the open one."""
    alert = occurrence.alert
    named = service_name(alert.labels)
    service = Service.objects.filter(slug=named, environment=environment).first() if named else None
    severity = severity_of(alert.labels)
    key = f"service:{environment}:{named}" if named else f"alert:{environment}:{alert.name}"
    now = timezone.now()
    opened = lifecycle.open_incident(
        title=title_of(alert, named),
        severity=severity,
        services=[service] if service else [],
        description=_description(alert, named, service),
        source=Incident.Source.ALERT,
        started_at=max(min(occurrence.claimed_started_at, now), now - OLDEST_CREDIBLE_CLAIM),
        correlation_key=key[:300],
        environment=environment,
    )
    incident = opened.incident
    with transaction.atomic():
        joined = AlertOccurrence.objects.filter(pk=occurrence.pk, incident=None).update(
            incident=incident, service=service
        )
        if not joined:
            return
        occurrence.incident, occurrence.service = incident, service
        incident.affected.filter(service=service).update(recovered_at=None)
        if not opened.created:
            edits.raise_severity(incident_id=incident.pk, to=severity, reason=f"Alert {alert.name}")
        signals.occurrence_joined.send(
            Incident,
            incident=incident,
            occurrence=occurrence,
            alert=alert,
            opened=opened.created,
        )


def _note_recovery(occurrence: AlertOccurrence) -> None:
    """An affected service has recovered once no alert fires on it any more."""
    firing = AlertOccurrence.objects.filter(
        incident=occurrence.incident, service=occurrence.service, resolved_at=None
    )
    if occurrence.service is None or firing.exists():
        return
    AffectedService.objects.filter(
        incident=occurrence.incident, service=occurrence.service, recovered_at=None
    ).update(recovered_at=occurrence.resolved_at)


def service_name(labels: Mapping[str, str]) -> str | None:
    """What the alert says it is about: the first of SERVICE_LABELS it carries."""
    return next((labels[name] for name in SERVICE_LABELS if labels.get(name)), None)


def severity_of(labels: Mapping[str, str]) -> Severity:
    """By the `severity` (or `priority`) label; high when it says nothing we know."""
    said = (labels.get("severity") or labels.get("priority") or "").lower()
    return SEVERITIES.get(said, Severity.HIGH)


def title_of(alert: Alert, service: str | None) -> str:
    summary = alert.annotations.get("summary") or alert.annotations.get("title")
    return (summary or f"{alert.name} on {service or 'an unnamed service'}")[:300]


def _description(alert: Alert, named: str | None, service: Service | None) -> str:
    parts = [alert.annotations.get("description", "")]
    if named is None:
        parts.append(
            "The alert names no service: none of the labels "
            f"{', '.join(SERVICE_LABELS)} is set, so no service is linked."
        )
    elif service is None:
        parts.append(f"The service {named!r} is not in the catalogue, so it is not linked.")
    return "\n\n".join(part for part in parts if part)


def resolve_quiet(now: datetime | None = None) -> int:
    """Resolve incidents that alerts opened once all their alerts have been quiet for the
    hold-down; how many."""
    now = now or timezone.now()
    quiet_since = now - timedelta(seconds=settings.RESOLVE_HOLD_DOWN_SECONDS)
    quiet = (
        Incident.objects.active()
        .filter(source=Incident.Source.ALERT)
        .filter(occurrences__isnull=False)
        .exclude(occurrences__resolved_at=None)
        .annotate(last_resolved_at=Max("occurrences__resolved_at"))
        .filter(last_resolved_at__lte=quiet_since)
    )
    resolved = 0
    for incident in quiet:
        try:
            lifecycle.change_status(
                incident_id=incident.pk,
                to=Status.RESOLVED,
                actor=None,
                reason="All its alerts have resolved.",
            )
        except lifecycle.TransitionRefused:
            continue  # a person was faster
        resolved += 1
    return resolved
