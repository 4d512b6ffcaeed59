"""Puts what happened to an incident into plain words on its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from accounts.models import User
from incidents.models import (
    AlertOccurrence,
    FieldChange,
    Incident,
    Status,
    StatusChange,
)
from incidents.models import Severity as IncidentSeverity
from timeline.edit_words import TIMES, closing, field_title
from timeline.models import WRITTEN_BY_PEOPLE, Kind, Severity, TimelineAnchor, TimelineEvent
from timeline.record import Entry, TimelineSealed, record, record_many, seal

SEVERITY_OF_INCIDENT = {
    IncidentSeverity.CRITICAL: Severity.CRITICAL,
    IncidentSeverity.HIGH: Severity.HIGH,
    IncidentSeverity.MEDIUM: Severity.WARNING,
    IncidentSeverity.LOW: Severity.INFO,
}
# the values of an alert's `severity` label that senders use; others are a warning
SEVERITY_OF_ALERT = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "error": Severity.HIGH,
    "high": Severity.HIGH,
    "info": Severity.INFO,
    "low": Severity.INFO,
    "none": Severity.INFO,
}


def status_change(change: StatusChange) -> TimelineEvent:
    if not change.from_status:
        return _opening(change)
    mitigated = change.to_status == Status.MITIGATED
    return record(
        incident_id=change.incident_id,
        kind=Kind.MITIGATION_APPLIED if mitigated else Kind.STATUS_CHANGED,
        title=_status_title(change),
        body=change.reason,
        source=source_of(change.actor),
        actor=change.actor,
        occurred_at=change.at,
        data={
            "from": change.from_status,
            "to": change.to_status,
            **({"closed_as": change.closed_as} if change.closed_as else {}),
        },
    )


def _opening(change: StatusChange) -> TimelineEvent:
    incident = change.incident
    services = [affected.service.slug for affected in incident.affected.select_related("service")]
    by: dict[str, str] = {
        Incident.Source.ALERT: "by an alert",
        Incident.Source.LAB: "by the lab",
        Incident.Source.BACKFILL: "from history",
    }
    who = f"by {change.actor.username}" if change.actor else by.get(incident.source, "")
    return record(
        incident_id=incident.pk,
        kind=Kind.INCIDENT_CREATED,
        severity=SEVERITY_OF_INCIDENT[IncidentSeverity(incident.severity)],
        title=f"{' '.join(filter(None, ('Incident opened', who)))}: {incident.title}",
        body=incident.description,
        source=source_of(change.actor),
        actor=change.actor,
        occurred_at=change.at,
        data={
            "reference": incident.reference,
            "severity": incident.severity,
            "services": services,
            "opened_from": incident.source,
            "started_at": incident.started_at,
            "detected_at": incident.detected_at,
        },
    )


def _status_title(change: StatusChange) -> str:
    who, reason = change.actor, f": {change.reason}" if change.reason else ""
    if change.to_status == Status.MITIGATED:
        return f"Mitigated by {who.username}{reason}" if who else f"Mitigated{reason}"
    if change.closed_as:
        closed = f"closed the incident as {closing(change.closed_as)}"
        return f"{who.username} {closed}" if who else f"Somebody {closed}"
    if change.to_status == Status.RESOLVED:
        return f"{who.username} resolved the incident" if who else "The incident was resolved"
    if change.from_status == Status.OPEN:
        return f"{who.username} acknowledged the incident" if who else "Investigation started"
    return f"{who.username} resumed the investigation" if who else "Investigation resumed"


def field_change(change: FieldChange) -> list[TimelineEvent]:
    """Empty when the timeline is sealed: the change stays a row of its own, after the seal."""
    severity, kind = Severity.INFO, Kind.EDITED
    if change.field == "severity":
        severity = SEVERITY_OF_INCIDENT[IncidentSeverity(str(change.new))]
        kind = Kind.SEVERITY_CHANGED
    elif change.field in TIMES:
        kind = Kind.TIME_CORRECTED
    entry = Entry(
        kind=kind,
        severity=severity,
        title=field_title(change),
        body=change.reason,
        source=source_of(change.actor),
        actor=change.actor,
        occurred_at=change.at,
        data={"field": change.field, "old": change.old, "new": change.new},
    )
    return unless_sealed(change.incident, [entry])


def alerts_firing(
    incident: Incident, occurrences: Sequence[AlertOccurrence]
) -> list[TimelineEvent]:
    """Empty when the timeline is sealed: each occurrence is a row of its own."""
    return unless_sealed(incident, [_firing(occurrence) for occurrence in occurrences])


def _firing(occurrence: AlertOccurrence) -> Entry:
    alert, service = occurrence.alert, _service_of(occurrence)
    annotations = alert.annotations
    return Entry(
        kind=Kind.ALERT_FIRING,
        severity=_severity_of(occurrence),
        title=f"Alert {alert.name} firing" + (f" on {service}" if service else ""),
        body=str(annotations.get("summary") or annotations.get("description") or ""),
        source="alert",
        occurred_at=occurrence.started_at,
        data={
            "alert": alert.name,
            "occurrence": occurrence.pk,
            "service": service,
            "labels": alert.labels,
            "generator_url": alert.generator_url,
            "joined_by": occurrence.joined_by,
        },
    )


def _severity_of(occurrence: AlertOccurrence) -> Severity:
    """As grouping read it; as its label says for one that was never grouped."""
    read = (occurrence.joined_by or {}).get("severity")
    if read is not None:
        return SEVERITY_OF_INCIDENT[IncidentSeverity(read)]
    label = str(occurrence.alert.labels.get("severity", "")).lower()
    return SEVERITY_OF_ALERT.get(label, Severity.WARNING)


def alerts_resolved(
    incident: Incident, occurrences: Sequence[AlertOccurrence]
) -> list[TimelineEvent]:
    """Empty when the timeline is sealed: each occurrence is a row of its own."""
    return unless_sealed(incident, [_ended(occurrence) for occurrence in occurrences])


def _ended(occurrence: AlertOccurrence) -> Entry:
    name, service = occurrence.alert.name, _service_of(occurrence)
    reconciled = occurrence.ended_by == AlertOccurrence.EndedBy.RECONCILED
    return Entry(
        kind=Kind.ALERT_RESOLVED,
        title=f"Alert {name} resolved" + (f" on {service}" if service else ""),
        body="No delivery said so: its Alertmanager lists it no longer." if reconciled else "",
        source="alert",
        occurred_at=occurrence.resolved_at,
        data={"alert": name, "occurrence": occurrence.pk, "service": service},
    )


def _service_of(occurrence: AlertOccurrence) -> str | None:
    return occurrence.service.slug if occurrence.service else None


def close(incident: Incident, actor: User | None) -> TimelineAnchor:
    """The final event, with MTTR and the services known to have recovered; then the seal."""
    impacts = list(incident.affected.select_related("service"))
    recovered = [a.service.slug for a in impacts if a.recovered_at is not None]
    mttr = incident.mttr_seconds
    assert mttr is not None  # `sealing` follows the status
    ratio = f"{len(recovered)}/{len(impacts)}"
    how = f"closed as {closing(incident.closed_as)}" if incident.closed_as else "resolved"
    return seal(
        incident.pk,
        Entry(
            kind=Kind.INCIDENT_RESOLVED,
            title=f"Incident {how} after {human(mttr)}",
            body=f"MTTR {human(mttr)}. Services confirmed recovered: {ratio}.",
            actor=actor,
            occurred_at=incident.resolved_at,
            data={
                "mttr_seconds": mttr,
                "mtta_seconds": incident.mtta_seconds,
                "services_recovered": ratio,
                "recovered": recovered,
                "not_recovered": [a.service.slug for a in impacts if a.recovered_at is None],
                "ttd_seconds": incident.ttd_seconds,
                "ttm_seconds": incident.ttm_seconds,
                "closed_as": incident.closed_as,
                "duplicate_of": incident.duplicate_of.reference if incident.duplicate_of else None,
                "root_cause": incident.root_cause,
                "resolution": incident.resolution,
            },
        ),
    )


def reopening(incident: Incident, actor: User | None, reason: str) -> TimelineEvent:
    """Lifts the seal; the event keeps what was sealed."""
    anchor = TimelineAnchor.objects.filter(pk=incident.pk).first()
    return record(
        incident_id=incident.pk,
        kind=Kind.REOPENED,
        severity=Severity.WARNING,
        title=f"{actor.username} reopened the incident" if actor else "The incident was reopened",
        body=reason,
        source=source_of(actor),
        actor=actor,
        data={
            "sealed_at": anchor.sealed_at if anchor else None,
            "root_digest": anchor.root_digest if anchor else "",
        },
    )


def human(seconds: float) -> str:
    """2531.4 -> "42 min 11 s"; the two largest units, days to seconds."""
    left = timedelta(seconds=round(seconds))
    hours, rest = divmod(left.seconds, 3600)
    units = ((left.days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    parts = [f"{count} {unit}" for count, unit in units if count]
    return " ".join(parts[:2]) or "0 s"


def source_of(actor: User | None) -> str:
    """The `source` of what this person, or nobody, did."""
    return WRITTEN_BY_PEOPLE if actor is not None else "system"


def unless_sealed(incident: Incident, entries: Sequence[Entry]) -> list[TimelineEvent]:
    """Record them; nothing, when the timeline is sealed."""
    try:
        return record_many(incident_id=incident.pk, entries=entries)
    except TimelineSealed:
        return []  # each has its own row, and the page shows those apart from the record
