"""Undo a merge: the source is what it was, and so is the survivor, as far as the merge changed it.

What happened in between stays with the survivor, with two exceptions: a firing that came by the
source's correlation key goes back with it; and so does one of a series that came with the source,
unless the survivor had a later firing of its own of that series, or another source still merged
had. What a person changed in between stays as changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import User
from incidents import edits, keys, signals
from incidents.lifecycle import ALLOWED, TransitionRefused
from incidents.merges.merging import COLUMNS, as_json, lock, redraw, worse
from incidents.merges.survivors import members_of
from incidents.models import (
    AffectedService,
    AlertOccurrence,
    FieldChange,
    Incident,
    IncidentMerge,
    NumberSequence,
)


def unmerge(
    *, source_id: UUID, actor: User | None, reason: str = "", version: int | None = None
) -> IncidentMerge:
    """Give the source back all that moved; the two are apart from then on.

    Its status is the one it had. A newer unresolved incident that has taken its correlation key
    meanwhile keeps it. Raises TransitionRefused for an incident that is not merged, and
    while its survivor is itself merged: that merge is undone first; VersionConflict when the
    source is not at `version`, where one is given.
    """
    with transaction.atomic():
        NumberSequence.lock("incident")  # nobody opens one with the source's key meanwhile
        source, target = _locked(source_id)
        edits.expect(source, version)
        merge = IncidentMerge.objects.get(source=source, target=target, undone_at=None)
        others = list(
            IncidentMerge.objects.filter(target=target, undone_at=None)
            .exclude(pk=merge.pk)
            .order_by("at", "source__number")
        )
        merge.undone_at, merge.undone_by, merge.undone_reason = timezone.now(), actor, reason
        merge.save(update_fields=["undone_at", "undone_by", "undone_reason"])
        newcomers = _newcomers(merge, others, target)
        returning = [*merge.moved["occurrences"], *newcomers]
        AlertOccurrence.objects.filter(pk__in=returning, incident=target).update(incident=source)
        new = _new_services(merge, others, target)
        _take_services(merge, others, target, new)
        later = [other for other in others if other.at >= merge.at]
        _restore_columns(merge, later, target, may_lower=not new)
        keys.yield_to_newer(source)
        source.merged_into = None
        source.closed_as = ""
        source.version += 1
        source.save(update_fields=["merged_into", "closed_as", "version", "updated_at"])
        signals.unmerged.send(Incident, incident=source, target=target, merge=merge, actor=actor)
        _bring_news(source, merge, others, target, newcomers)
        _bring_recovery(source, merge.at, newcomers)
        redraw(source, target)
        return merge


def _locked(source_id: UUID) -> tuple[Incident, Incident]:
    into = Incident.objects.values_list("merged_into", flat=True).get(pk=source_id)
    rows = lock([source_id, into] if into else [source_id])
    source = rows[source_id]
    if source.merged_into_id is None or source.merged_into_id not in rows:
        raise TransitionRefused(source, "un-merged", ALLOWED[source.status])
    target = rows[source.merged_into_id]
    if target.merged_into_id is not None:
        raise TransitionRefused(target, "the survivor of an un-merge", ())
    return source, target


def _newcomers(
    merge: IncidentMerge, others: Sequence[IncidentMerge], target: Incident
) -> list[str]:
    """The firings since the merge that go back with the source."""
    mine = set(merge.moved["occurrences"])
    series = AlertOccurrence.objects.filter(pk__in=mine).values("alert")
    sources = {str(pk) for pk in members_of([merge.source_id])}
    came = Q(alert__in=series) | Q(joined_by__through__in=list(sources))
    firings = target.occurrences.filter(came).order_by("started_at", "id")
    owner = dict.fromkeys(mine, merge.pk)
    owner |= {pk: other.pk for other in others for pk in other.moved["occurrences"]}
    own = set(merge.moved["kept"])
    latest: dict[UUID, UUID | None] = {}
    back = []
    for pk, alert, joined_by in firings.values_list("pk", "alert", "joined_by"):
        key, through = str(pk), (joined_by or {}).get("through")
        if key in owner:
            latest[alert] = owner[key]
        elif key in own:
            latest[alert] = None
        elif (through in sources) if through else (latest.get(alert) == merge.pk):
            back.append(key)
    return back


def _new_services(
    merge: IncidentMerge, others: Sequence[IncidentMerge], target: Incident
) -> list[UUID | None]:
    """The services of firings that joined the survivor since, None for one without a service."""
    moved = [pk for other in others for pk in other.moved["occurrences"]]
    new = target.occurrences.filter(started_at__gt=merge.at).exclude(pk__in=moved)
    return list(new.values_list("service", flat=True))


def _take_services(
    merge: IncidentMerge,
    others: Sequence[IncidentMerge],
    target: Incident,
    new: Sequence[UUID | None],
) -> None:
    """Services that came with the source go, unless another source or a new firing needs them."""
    rows = AffectedService.objects.filter(incident__in=[other.source_id for other in others])
    for service in merge.moved["services"]:
        theirs = set(rows.filter(service=service).values_list("incident", flat=True))
        heir = next((other for other in others if other.source_id in theirs), None)
        if heir is not None:
            heir.moved["services"].append(service)
            heir.save(update_fields=["moved"])
        elif UUID(service) not in new:
            target.affected.filter(service=service).delete()
    failing = rows.filter(recovered_at=None)
    for service, before in merge.moved["recovered"].items():
        theirs = set(failing.filter(service=service).values_list("incident", flat=True))
        heir = next((other for other in others if other.source_id in theirs), None)
        if heir is not None:
            heir.moved["recovered"].setdefault(service, before)
            heir.save(update_fields=["moved"])
        elif UUID(service) not in new:
            target.affected.filter(service=service, recovered_at=None).update(
                recovered_at=datetime.fromisoformat(before)
            )


def _restore_columns(
    merge: IncidentMerge, later: Sequence[IncidentMerge], target: Incident, may_lower: bool
) -> None:
    """Wind the survivor's columns back: as if this merge had not been, and the later ones had."""
    for name in COLUMNS:
        column = merge.moved["columns"][name]
        was, now = _combined(name, column["before"], column["brought"]), column["before"]
        for other in later:
            theirs = other.moved["columns"][name]
            if theirs["before"] != was:
                break  # somebody changed it between the two
            theirs["before"] = now
            other.save(update_fields=["moved"])
            was, now = (_combined(name, value, theirs["brought"]) for value in (was, now))
        else:
            if now != was and as_json(target, name) == was:
                _set(target, merge, name, now, may_lower)
    target.save(update_fields=[*COLUMNS, "updated_at"])


def _set(target: Incident, merge: IncidentMerge, name: str, value: str, may_lower: bool) -> None:
    if name != "severity":
        setattr(target, name, datetime.fromisoformat(value))
    elif may_lower:
        FieldChange.objects.create(
            incident=target,
            field=name,
            old=target.severity,
            new=value,
            actor=merge.undone_by,
            reason=f"{merge.source.reference} is apart again.",
        )
        target.severity = value


def _combined(name: str, one: str, other: str) -> str:
    """What a merge makes of the two values."""
    if name == "severity":
        return worse(one, other)
    return min(one, other, key=datetime.fromisoformat)


def _bring_news(
    source: Incident,
    merge: IncidentMerge,
    others: Sequence[IncidentMerge],
    target: Incident,
    newcomers: Sequence[str],
) -> None:
    """The source has the services and the severity of the firings that go back with it; the
    survivor loses the services that only they brought, unless a person chose its services."""
    firings = list(AlertOccurrence.objects.filter(pk__in=newcomers).select_related("service"))
    brought = list(dict.fromkeys(one.service for one in firings if one.service is not None))
    reason = f"Its alerts joined {target.reference} while it was merged."
    edits.add_services(incident=source, services=brought, reason=reason)
    told = [one.joined_by or {} for one in firings]
    if read := [str(by["severity"]) for by in told if "severity" in by]:
        edits.raise_severity(incident_id=source.pk, to=reduce(worse, read), reason=reason)
    chosen = target.field_changes.filter(field="services", at__gt=merge.at).exclude(actor=None)
    if not chosen.exists():
        needed = target.occurrences.exclude(service=None).values("service")
        theirs = [pk for other in others for pk in other.moved["services"]]
        since = target.affected.filter(service__in=brought, added_at__gt=merge.at)
        since.exclude(service__in=needed).exclude(service__in=theirs).delete()


def _bring_recovery(source: Incident, merged_at: datetime, newcomers: Sequence[str]) -> None:
    """The source's services as its alerts left them while it was merged."""
    for row in source.affected.all():
        firings = source.occurrences.filter(service=row.service_id)
        going_on = firings.filter(resolved_at=None)
        last = firings.aggregate(last=Max("resolved_at"))["last"]
        if going_on.filter(pk__in=newcomers).exists():
            row.recovered_at = None
        elif last is not None and last > merged_at and not going_on.exists():
            row.recovered_at = last
        row.save(update_fields=["recovered_at"])
