"""Which rows of this app the audit watches, and how it tells an incident's own history."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from accounts import audit
from incidents.models import (
    Alertmanager,
    AlertReading,
    AlertSource,
    ChangeEvent,
    FieldChange,
    GroupingRule,
    Heartbeat,
    Incident,
    IncidentMerge,
    IncidentRole,
    IncidentTask,
    MaintenanceWindow,
    MergeProposal,
    NotificationChannel,
    NotificationRule,
    Service,
    ServiceDependency,
    StatusChange,
)

# each change of these is a StatusChange or a FieldChange, which is told instead
TOLD_BY_HISTORY = {
    "title",
    "description",
    "severity",
    "status",
    "started_at",
    "detected_at",
    "acknowledged_at",
    "mitigated_at",
    "resolved_at",
    "archived_at",
    "root_cause",
    "resolution",
}
MACHINES = {
    "version",
    "revision",
    "analysis_status",
    "top_cause",
    "top_cause_service",
    "top_cause_kind",
    "top_cause_confidence",
    "business_impact",
    "updated_at",
}


def watch_models() -> None:
    audit.watch(Incident, ignore=MACHINES, when_made=TOLD_BY_HISTORY)
    for history, tell in ((StatusChange, _status_changed), (FieldChange, _field_changed)):
        uid = f"incidents.audit.{history.__name__}"
        post_save.connect(tell, sender=history, dispatch_uid=uid)
    audit.watch(IncidentMerge, ignore={"moved"})
    audit.watch(MergeProposal, only={"older_id", "newer_id", "state", "reason"})
    audit.watch(IncidentRole)
    audit.watch(IncidentTask, ignore={"updated_at", "version"})
    audit.watch(Service, ignore={"updated_at"})
    audit.watch(ServiceDependency)
    audit.watch(ChangeEvent)
    audit.watch(AlertSource)
    audit.watch(GroupingRule, ignore={"version"})
    audit.watch(AlertReading, ignore={"version", "updated_at"})
    audit.watch(Heartbeat)
    audit.watch(MaintenanceWindow, many={"services"})
    audit.watch(NotificationRule, ignore={"version", "updated_at"}, many={"services", "channels"})
    audit.watch(
        NotificationChannel,
        ignore={
            "version",
            "updated_at",
            "failures",
            "paused_until",
            "last_success_at",
            "last_error_at",
            "last_error",
            "claimed_until",
            "claim",
        },
    )
    audit.watch(
        Alertmanager,
        ignore={
            "failures",
            "last_success_at",
            "last_error_at",
            "last_error",
            "note",
            "firing",
            "version",
            "up_since",
            "claimed_until",
        },
    )


def _status_changed(instance: StatusChange, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw and instance.from_status:
        audit.record(
            "incident.status_changed",
            instance.incident,
            {"status": instance.from_status},
            {"status": instance.to_status},
            reason=instance.reason,
        )


def _field_changed(instance: FieldChange, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        audit.record(
            "incident.changed",
            instance.incident,
            {instance.field: instance.old},
            {instance.field: instance.new},
            reason=instance.reason,
        )
