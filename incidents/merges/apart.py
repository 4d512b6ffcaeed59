"""Pairs of incidents that a person has said are two: never merged automatically, not proposed.

Three things say so: a dismissed proposal, an un-merge, and opening one although it was said to
look like the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from incidents.merges.duplicates import Similarity
from incidents.models import Incident, IncidentMerge, MergeProposal

OPENED_ANYWAY = "It was opened although it looked like the other."


def pairs_apart(incident_ids: Collection[UUID]) -> set[frozenset[UUID]]:
    """The pairs among these incidents that are two. Two queries."""
    dismissed = MergeProposal.objects.filter(
        state=MergeProposal.State.DISMISSED, older__in=incident_ids, newer__in=incident_ids
    )
    undone = IncidentMerge.objects.filter(
        source__in=incident_ids, target__in=incident_ids
    ).exclude(undone_at=None)  # fmt: skip
    return {
        frozenset(pair)
        for pair in [
            *dismissed.values_list("older", "newer"),
            *undone.values_list("source", "target"),
        ]
    }


def opened_anyway(incident: Incident, alike: Iterable[Similarity], actor: User | None) -> None:
    """A new incident is not one of those it was said to be alike."""
    now = timezone.now()
    MergeProposal.objects.bulk_create(
        MergeProposal(
            older=one.incident,
            newer=incident,
            state=MergeProposal.State.DISMISSED,
            reason=OPENED_ANYWAY,
            score=one.score,
            parts=one.parts,
            created_at=now,
            decided_at=now,
            decided_by=actor,
        )
        for one in alike
    )
