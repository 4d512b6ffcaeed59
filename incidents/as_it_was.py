"""An incident as it stood at an earlier moment, put together from its rows.

Each change keeps the old value: the first change after the moment tells what stood at it. Steps
of the status also tell the times they set.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from incidents.models import (
    AffectedService,
    AlertOccurrence,
    FieldChange,
    Impact,
    Incident,
    IncidentMerge,
    Service,
    Status,
    StatusChange,
)

TEXTS = ("title", "description", "severity", "root_cause", "resolution")
CLAIMED_TIMES = ("started_at", "detected_at")  # set at the opening, corrected or brought by a merge
STEP_TIMES = ("acknowledged_at", "mitigated_at", "resolved_at")


def as_it_was(incident: Incident, at: datetime) -> Incident:
    """A copy with the columns of then; not to be saved."""
    then = copy.copy(incident)
    edits = list(FieldChange.objects.filter(incident=incident).order_by("at", "id"))
    steps = list(StatusChange.objects.filter(incident=incident, at__lte=at).order_by("at", "id"))
    for name in TEXTS:
        setattr(then, name, _value(edits, name, at, getattr(incident, name)))
    merges = list(IncidentMerge.objects.filter(target=incident, at__gt=at).order_by("at", "id"))
    for name in CLAIMED_TIMES:
        setattr(then, name, _claimed(edits, merges, name, at, getattr(incident, name)))
    for name, value in _stepped(then.started_at, steps, edits, at).items():
        setattr(then, name, value)
    then.status = steps[-1].to_status if steps else Status.OPEN
    if then.status != Status.RESOLVED:
        then.closed_as = ""
    if then.archived_at is not None and then.archived_at > at:
        then.archived_at = None
    then.merged_into = _survivor(incident, at)
    return then


def affected_then(incident: Incident, at: datetime | None) -> list[AffectedService]:
    """The services named at that moment (None: now), with impact and recovery as far as known.

    Of a service that was taken off since nothing remains but that it was named: it is shown as
    hit second.
    """
    rows = list(incident.affected.select_related("service"))
    if at is None:
        return rows
    later = FieldChange.objects.filter(incident=incident, field="services", at__gt=at)
    change = later.order_by("at", "id").first()
    before = set(change.old or ()) if change else None
    kept = [row for row in rows if _was_named(row, before, change, at)]
    for row in kept:
        if row.recovered_at is not None and row.recovered_at > at:
            row.recovered_at = None
    gone = sorted((before or set()) - {row.service.slug for row in rows})
    services = Service.objects.filter(slug__in=gone, environment=incident.environment)
    return kept + [
        AffectedService(incident=incident, service=service, impact=Impact.SECONDARY)
        for service in services.order_by("slug")
    ]


def occurrences_then(occurrences: Iterable[AlertOccurrence], at: datetime) -> list[AlertOccurrence]:
    """The firings without what came later: their ends and marks."""
    found = list(occurrences)
    for one in found:
        for name in ("resolved_at", "stale_since", "suppressed_since"):
            if (moment := getattr(one, name)) is not None and moment > at:
                setattr(one, name, None)
        if one.alert.flapping_since is not None and one.alert.flapping_since > at:
            one.alert.flapping_since = None
    return found


def moved_since(incident: Incident, at: datetime) -> tuple[list[str], list[str]]:
    """Ids of firings that merges have (brought, taken away) since; alert occurrences."""
    merges = IncidentMerge.objects.filter(at__gt=at)
    brought = [
        pk for moved in _moved(merges.filter(target=incident)) for pk in moved["occurrences"]
    ]
    taken = [pk for moved in _moved(merges.filter(source=incident)) for pk in moved["occurrences"]]
    return brought, taken


def _moved(merges: Any) -> Iterable[dict[str, Any]]:
    return (moved for moved in merges.values_list("moved", flat=True) if "occurrences" in moved)


def _value(edits: Sequence[FieldChange], name: str, at: datetime, now: Any) -> Any:
    later = [edit for edit in edits if edit.field == name and edit.at > at]
    return later[0].old if later else now


def _claimed(
    edits: Sequence[FieldChange],
    merges: Sequence[IncidentMerge],
    name: str,
    at: datetime,
    now: datetime,
) -> datetime:
    told = [(edit.at, edit.old) for edit in edits if edit.field == name and edit.at > at]
    told += [
        (merge.at, merge.moved["columns"][name]["before"])
        for merge in merges
        if name in merge.moved.get("columns", {})
    ]
    return _moment(min(told)[1]) or now if told else now


def _stepped(
    started_at: datetime, steps: Sequence[StatusChange], edits: Sequence[FieldChange], at: datetime
) -> dict[str, datetime | None]:
    """The times that steps set and corrections changed, in the order in which they came."""
    times: dict[str, datetime | None] = dict.fromkeys(STEP_TIMES)
    corrections = [edit for edit in edits if edit.field in STEP_TIMES and edit.at <= at]
    rows: list[StatusChange | FieldChange] = [*steps, *corrections]
    for row in sorted(rows, key=lambda row: row.at):
        if isinstance(row, FieldChange):
            times[row.field] = _moment(row.new)
            continue
        if row.from_status and row.actor_id and times["acknowledged_at"] is None:
            times["acknowledged_at"] = max(row.at, started_at)
        if row.from_status == Status.RESOLVED:
            times["resolved_at"] = None
        if row.to_status == Status.MITIGATED:
            times["mitigated_at"] = row.at
        if row.to_status == Status.RESOLVED:
            times["resolved_at"] = row.at
    return times


def _moment(value: Any) -> datetime | None:
    return parse_datetime(value) if isinstance(value, str) else None


def _was_named(
    row: AffectedService, before: set[str] | None, change: FieldChange | None, at: datetime
) -> bool:
    if before is None or change is None:
        return row.added_at <= at
    if row.service.slug not in before:
        return False
    # one that was taken off and added again was named then, one that a merge brought was not
    return row.added_at <= at or row.added_at > change.at


def _survivor(incident: Incident, at: datetime) -> Incident | None:
    merges = IncidentMerge.objects.filter(source=incident, at__lte=at).order_by("-at")
    merge = merges.select_related("target").first()
    if merge is None or (merge.undone_at is not None and merge.undone_at <= at):
        return None
    return merge.target
