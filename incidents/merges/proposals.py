"""Pairs of open incidents that may be one: proposed, accepted or dismissed.

The only writer of MergeProposal but for `apart.opened_anyway`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from incidents import live, signals
from incidents.merges.similarity import Likeness
from incidents.models import Incident, MergeProposal

State = MergeProposal.State


class AlreadyDecided(Exception):
    """The text says what became of it, in words for the person who was late."""


def of(incident_id: UUID) -> QuerySet[MergeProposal]:
    """The open proposals the incident is in, most alike first."""
    rows = MergeProposal.objects.filter(_with(incident_id), state=State.OPEN)
    return rows.select_related("older", "newer").order_by("-score", "older__number")


def with_other(incident: Incident) -> list[tuple[MergeProposal, Incident]]:
    """Each open proposal with the other incident of its pair."""
    return [
        (row, row.newer if row.older_id == incident.pk else row.older) for row in of(incident.pk)
    ]


def propose(older: Incident, newer: Incident, likeness: Likeness, reason: str) -> bool:
    """Propose the pair, again if it was withdrawn, or bring its proposal up to date; True if it is
    new: only then the timelines tell of it.

    Nothing happens once it is decided. Call it with both incidents locked.
    """
    row, created = MergeProposal.objects.get_or_create(
        older=older,
        newer=newer,
        defaults={"reason": reason, "score": likeness.score, "parts": likeness.parts},
    )
    if row.state in (State.ACCEPTED, State.DISMISSED):
        return False
    if not created and row.is_open and (row.reason, row.parts) == (reason, likeness.parts):
        return False
    if not created:
        row.state, row.reason, row.decided_at = State.OPEN, reason, None
        row.score, row.parts = likeness.score, likeness.parts
        row.save(update_fields=["state", "reason", "decided_at", "score", "parts"])
    else:
        signals.merge_proposed.send(Incident, incident=newer, proposal=row)
    _redraw(row)
    return created


def withdraw(incident_id: UUID, *, but: Collection[frozenset[UUID]] = ()) -> None:
    """The incident's open proposals no longer hold, but for those of the pairs `but`."""
    for row in MergeProposal.objects.filter(_with(incident_id), state=State.OPEN):
        if frozenset((row.older_id, row.newer_id)) not in but:
            row.state, row.decided_at = State.WITHDRAWN, timezone.now()
            row.save(update_fields=["state", "decided_at"])
            _redraw_later(row)


def undecided(proposal_id: UUID) -> MergeProposal:
    """The proposal, for one who holds its incidents' locks; raises AlreadyDecided."""
    row = MergeProposal.objects.select_related("older", "newer").get(pk=proposal_id)
    if not row.is_open:
        raise AlreadyDecided(f"The proposal was {row.state} already.")
    return row


def dismiss(*, proposal_id: UUID, actor: User | None, reason: str = "") -> MergeProposal:
    """The two are two: they are not proposed again and never merged automatically.

    Raises AlreadyDecided, MergeProposal.DoesNotExist.
    """
    with transaction.atomic():
        found = MergeProposal.objects.select_related("older", "newer").get(pk=proposal_id)
        _redraw(found)  # also the incidents' lock
        row = undecided(proposal_id)
        row.state, row.decided_at, row.decided_by = State.DISMISSED, timezone.now(), actor
        row.reason = reason or row.reason
        row.save(update_fields=["state", "decided_at", "decided_by", "reason"])
        signals.merge_dismissed.send(Incident, incident=row.newer, proposal=row, actor=actor)
        return row


def settle_merged(sources: Mapping[UUID, Incident], target_id: UUID, actor: User | None) -> None:
    """After a merge: what proposed it is accepted, what else the sources were in is withdrawn."""
    now = timezone.now()
    members = [*sources, target_id]
    within = Q(older__in=members, newer__in=members)
    MergeProposal.objects.filter(within, state=State.OPEN).update(
        state=State.ACCEPTED, decided_at=now, decided_by=actor
    )
    for pk in sources:
        withdraw(pk)


def _with(incident_id: UUID) -> Q:
    return Q(older=incident_id) | Q(newer=incident_id)


def _redraw(row: MergeProposal) -> None:
    for pk in sorted((row.older_id, row.newer_id)):
        live.changed(pk, "merges")


def _redraw_later(row: MergeProposal) -> None:
    """After the commit: the other incident of the pair is not locked by who withdraws."""
    transaction.on_commit(lambda: _redraw(row), robust=True)
