"""What incidents' own rows say happened after the seal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from incidents.models import (
    AlertOccurrence,
    FieldChange,
    Incident,
    IncidentMerge,
    IncidentRole,
    NotificationDelivery,
    TaskChange,
)
from timeline.aftermath import AfterSealing, register
from timeline.edit_words import field_title, role_title, task_title
from timeline.narrate_notifications import title_of

LISTED = 200  # of a kind; more would be a storm, which the alerts page lists


def edits(incident: Incident, since: datetime) -> Iterator[AfterSealing]:
    changes = FieldChange.objects.filter(incident=incident, at__gt=since).select_related("actor")
    for change in changes[:LISTED]:
        yield AfterSealing(change.at, field_title(change), change.reason)


def alerts(incident: Incident, since: datetime) -> Iterator[AfterSealing]:
    mine = AlertOccurrence.objects.filter(incident=incident).select_related("alert")
    for firing in mine.filter(started_at__gt=since).order_by("started_at")[:LISTED]:
        yield AfterSealing(firing.started_at, f"Alert {firing.alert.name} firing")
    for ended in mine.filter(resolved_at__gt=since).order_by("resolved_at")[:LISTED]:
        assert ended.resolved_at is not None  # the filter's
        yield AfterSealing(ended.resolved_at, f"Alert {ended.alert.name} resolved")


def releases(incident: Incident, since: datetime) -> Iterator[AfterSealing]:
    undone = IncidentMerge.objects.filter(target=incident, undone_at__gt=since)
    for merge in undone.select_related("source")[:LISTED]:
        assert merge.undone_at is not None  # the filter's
        title = f"Released {merge.source.reference}: {merge.source.title}"
        url = merge.source.get_absolute_url()
        yield AfterSealing(merge.undone_at, title, merge.undone_reason, url)


def tasks(incident: Incident, since: datetime) -> Iterator[AfterSealing]:
    changes = TaskChange.objects.filter(task__incident=incident, at__gt=since)
    for change in changes.select_related("task__owner", "actor")[:LISTED]:
        made = change.changes.get("state", [""])[0] is None
        owner = change.changes["owner"][1] if made else None
        what = {} if made else change.changes
        yield AfterSealing(change.at, task_title(change.task.title, change.actor, what, owner))


def notifications(incident: Incident, since: datetime) -> Iterator[AfterSealing]:
    ended = NotificationDelivery.objects.filter(incident=incident, finished_at__gt=since)
    for delivery in ended.select_related("channel").order_by("finished_at")[:LISTED]:
        assert delivery.finished_at is not None  # the filter's
        yield AfterSealing(delivery.finished_at, title_of(delivery), delivery.error)


def roles(incident: Incident, since: datetime) -> Iterator[AfterSealing]:
    rows = IncidentRole.objects.filter(incident=incident)
    rows = rows.select_related("user", "assigned_by", "ended_by")
    for role in rows.filter(assigned_at__gt=since)[:LISTED]:
        title = role_title(role, role.user, role.assigned_by, ended=False)
        yield AfterSealing(role.assigned_at, title)
    for role in rows.filter(ended_at__gt=since)[:LISTED]:
        assert role.ended_at is not None  # the filter's
        yield AfterSealing(role.ended_at, role_title(role, role.user, role.ended_by, ended=True))


def register_rows() -> None:
    register("edits", edits)
    register("alerts", alerts)
    register("merges", releases)
    register("tasks", tasks)
    register("notifications", notifications)
    register("roles", roles)
