"""Responders judge causes: the only writer of verdicts and of what follows from them.

A verdict is on a hypothesis, a service and a kind, and holds for every run of the incident that
names it. At most one is confirmed at a time: confirming another withdraws the former.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from correlation.models import Analysis, CauseVerdict, RootCause
from incidents import live
from incidents.models import Incident
from timeline.models import WRITTEN_BY_PEOPLE, Kind
from timeline.record import TimelineSealed, record

PANELS = ("header", "causes", "similar")
Identity = tuple[str, str]
"""(service, kind) of a hypothesis."""


class VerdictRefused(Exception):
    """The text says why, in words for the person who gave it."""


def give(
    *,
    incident_id: UUID,
    verdict: str,
    actor: User | None,
    reason: str = "",
    cause: RootCause | None = None,
    service: str = "",
    kind: str = "",
) -> CauseVerdict:
    """Record a verdict on `cause`, or on a cause that was not ranked by its `service` and `kind`.

    One event on the timeline while that is open. The same verdict with the same reason again
    changes nothing. Raises VerdictRefused for an incident that is merged, for withdrawing what
    was not given, and for a cause of another incident.
    """
    verdict = CauseVerdict.Verdict(verdict).value
    if cause is not None:
        service, kind = cause.service, cause.kind
    with transaction.atomic():
        live.changed(incident_id, *PANELS)  # also the lock: one verdict at a time
        incident = Incident.objects.get(pk=incident_id)
        holding = current(incident.pk)
        before = holding.get((service, kind))
        _refuse(incident, cause, service, verdict, before)
        if before is not None and (before.verdict, before.reason) == (verdict, reason):
            return before
        title = cause.title if cause is not None else _title(service, kind)
        if verdict == CauseVerdict.Verdict.CONFIRMED:
            for former in holding.values():
                if former.verdict == verdict and former.identity != (service, kind):
                    _withdraw(former, actor, f"Replaced by {title}")
        made = _write(incident, cause, service, kind, title, verdict, reason, actor)
        summarise(incident.pk)
        return made


def current(incident_id: UUID, as_of: datetime | None = None) -> dict[Identity, CauseVerdict]:
    """The verdicts that hold (or held then), by hypothesis; withdrawn ones are not among them."""
    rows = CauseVerdict.objects.filter(incident=incident_id).select_related("by")
    if as_of is not None:
        rows = rows.filter(at__lte=as_of)
    newest: dict[Identity, CauseVerdict] = {}
    for row in rows.order_by("at", "id"):
        newest[row.identity] = row
    return {key: row for key, row in newest.items() if row.verdict != row.Verdict.WITHDRAWN}


def confirmed(incident_id: UUID) -> CauseVerdict | None:
    """The cause responders say it was; None while they have not."""
    holding = current(incident_id).values()
    return next((row for row in holding if row.verdict == row.Verdict.CONFIRMED), None)


def confirmed_of(incident_ids: Collection[UUID]) -> dict[UUID, CauseVerdict]:
    """The confirmed cause of each of these incidents that has one."""
    rows = CauseVerdict.objects.filter(incident__in=list(incident_ids)).select_related("by")
    newest: dict[tuple[UUID, Identity], CauseVerdict] = {}
    for row in rows.order_by("at", "id"):
        newest[row.incident_id, row.identity] = row
    holding = CauseVerdict.Verdict.CONFIRMED
    return {pk: row for (pk, _identity), row in newest.items() if row.verdict == holding}


def root_cause_text(incident_id: UUID) -> str:
    """The confirmed cause as a text for the resolution's root cause; "" without one."""
    found = confirmed(incident_id)
    if found is None:
        return ""
    return f"{found.title}. {found.reason}".strip() if found.reason else found.title


def suggested_root_cause(incident: Incident) -> str:
    """What the form of resolving starts from; responders may write something else."""
    return root_cause_text(incident.pk)


def judged(
    causes: Iterable[RootCause], holding: Mapping[Identity, CauseVerdict]
) -> list[RootCause]:
    """The causes, each with `review`: the one of `holding` that is on it, or None."""
    found = list(causes)
    for cause in found:
        cause.review = holding.get((cause.service, cause.kind))  # type: ignore[attr-defined]
    return found


def carry(incident_id: UUID, causes: Sequence[RootCause]) -> None:
    """Put on a new run's causes, before they are written, what holds for their hypotheses."""
    holding = current(incident_id)
    for cause in causes:
        held = holding.get((cause.service, cause.kind))
        cause.verdict = held.verdict if held is not None else ""


def summary(incident_id: UUID, causes: Sequence[RootCause], inconclusive: bool) -> dict[str, Any]:
    """The incident's `top_cause` columns: what responders confirmed, else the engine's first.

    Empty when the run was inconclusive, and when the first was rejected: the second is not
    more likely for that.
    """
    held = confirmed(incident_id)
    if held is not None:
        same = (c.confidence for c in causes if (c.service, c.kind) == held.identity)
        return _columns(held.title, held.service, held.kind, next(same, None))
    top = causes[0] if causes and not inconclusive else None
    if top is None or top.verdict == RootCause.Verdict.REJECTED:
        return _columns("", "", "", None)
    return _columns(top.title, top.service, top.kind, top.confidence)


def summarise(incident_id: UUID) -> None:
    """Bring the verdicts of the incident's causes and its summary in line with what holds."""
    holding = current(incident_id)
    causes = RootCause.objects.filter(analysis__incident=incident_id)
    causes.exclude(verdict="").update(verdict="")
    for (service, kind), row in holding.items():
        causes.filter(service=service, kind=kind).update(verdict=row.verdict)
    finished = Analysis.objects.stood().filter(incident=incident_id)
    latest = finished.order_by("-finished_at", "-id").first()
    ranked = list(latest.root_causes.order_by("rank")) if latest else []
    inconclusive = latest is None or latest.status == Analysis.Status.INCONCLUSIVE
    columns = summary(incident_id, ranked, inconclusive)
    Incident.objects.filter(pk=incident_id).update(**columns)


def _columns(title: str, service: str, kind: str, confidence: float | None) -> dict[str, Any]:
    return {
        "top_cause": title[:300],
        "top_cause_service": service,
        "top_cause_kind": kind,
        "top_cause_confidence": confidence,
    }


def _title(service: str, kind: str) -> str:
    return f"{service}: {kind.replace('_', ' ')}" if kind else f"{service}: cause not named"


def _refuse(
    incident: Incident,
    cause: RootCause | None,
    service: str,
    verdict: str,
    before: CauseVerdict | None,
) -> None:
    if incident.merged_into_id is not None:
        raise VerdictRefused(f"{incident.reference} was merged; judge its survivor's causes.")
    if cause is not None and cause.analysis.incident_id != incident.pk:
        raise VerdictRefused(f"That cause is not one of {incident.reference}.")
    if not service:
        raise VerdictRefused("A verdict needs a cause, or the service that was at fault.")
    if verdict == CauseVerdict.Verdict.WITHDRAWN and before is None:
        raise VerdictRefused("There is no verdict on this cause to withdraw.")


def _withdraw(former: CauseVerdict, actor: User | None, reason: str) -> None:
    incident = former.incident
    _write(
        incident, former.cause, former.service, former.kind, former.title,
        CauseVerdict.Verdict.WITHDRAWN, reason, actor,
    )  # fmt: skip


def _write(
    incident: Incident,
    cause: RootCause | None,
    service: str,
    kind: str,
    title: str,
    verdict: str,
    reason: str,
    actor: User | None,
) -> CauseVerdict:
    now = timezone.now()
    words = {"confirmed": "confirmed", "rejected": "rejected", "withdrawn": "took back"}[verdict]
    who = actor.username if actor else "An API token"
    what = "the verdict on the cause" if verdict == "withdrawn" else "the cause"
    try:
        record(
            incident_id=incident.pk,
            kind=Kind.CAUSE_REVIEWED,
            title=f"{who} {words} {what}: {title}",
            body=reason,
            source=WRITTEN_BY_PEOPLE if actor else "system",
            actor=actor,
            occurred_at=now,
            data={
                "verdict": verdict,
                "service": service,
                "kind": kind,
                "root_cause": str(cause.pk) if cause else None,
            },
        )
        sealed = False
    except TimelineSealed:
        sealed = True  # a review: its row stands outside the seal, and the page says so
    return CauseVerdict.objects.create(
        incident=incident,
        cause=cause,
        service=service,
        kind=kind,
        title=title,
        verdict=verdict,
        reason=reason,
        by=actor,
        at=now,
        after_sealing=sealed,
    )
