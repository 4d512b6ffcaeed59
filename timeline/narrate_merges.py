"""Puts merges, what undid them and what was proposed into plain words on both timelines."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from incidents.models import Incident, IncidentMerge, MergeProposal
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.narrate import source_of, unless_sealed
from timeline.record import Entry, record, seal


def merging(source: Incident, target: Incident, merge: IncidentMerge) -> TimelineEvent:
    """Both sides: the source is sealed, the target absorbs its root digest."""
    actor = merge.actor
    by = f" by {actor.username}" if actor else ""
    why: dict[str, Any] = {"merge": merge.pk, "similarity": merge.similarity}
    anchor = seal(
        source.pk,
        Entry(
            kind=Kind.MERGED,
            title=f"Merged into {target.reference}{by}: {target.title}",
            body=merge.reason,
            source=source_of(actor),
            actor=actor,
            occurred_at=merge.at,
            data={**why, "target": target.pk, "target_reference": target.reference},
        ),
    )
    return record(
        incident_id=target.pk,
        kind=Kind.ABSORBED,
        title=f"Absorbed {source.reference}{by}: {source.title}",
        body=merge.reason,
        source=source_of(actor),
        actor=actor,
        occurred_at=merge.at,
        data={
            **why,
            "source": source.pk,
            "source_reference": source.reference,
            "source_length": anchor.length,
            "source_root_digest": anchor.root_digest,
        },
    )


def unmerging(source: Incident, target: Incident, merge: IncidentMerge) -> None:
    """Both sides: the source's seal is lifted, the survivor releases it.

    A survivor that is sealed keeps its seal: the merge's own row says that it was undone.
    """
    actor = merge.undone_by
    by = f" by {actor.username}" if actor else ""
    told: dict[str, Any] = {
        "body": merge.undone_reason,
        "source": source_of(actor),
        "actor": actor,
        "occurred_at": merge.undone_at,
    }
    anchor = TimelineAnchor.objects.get(pk=source.pk)
    record(
        incident_id=source.pk,
        kind=Kind.UNMERGED,
        title=f"Un-merged from {target.reference}{by}",
        data={
            "merge": merge.pk,
            "target": target.pk,
            "target_reference": target.reference,
            "sealed_at": anchor.sealed_at,
            "root_digest": anchor.root_digest,
        },
        **told,
    )
    released = Entry(
        kind=Kind.RELEASED,
        title=f"Released {source.reference}{by}: {source.title}",
        data={
            "merge": merge.pk,
            "source": source.pk,
            "source_reference": source.reference,
        },
        **told,
    )
    unless_sealed(target, [released])


def merge_proposal(proposal: MergeProposal, actor: User | None) -> None:
    """Both sides say that they may be one, or that somebody says they are not."""
    dismissed = proposal.state == MergeProposal.State.DISMISSED
    by = f" by {actor.username}" if actor else ""
    for incident, other in (
        (proposal.older, proposal.newer),
        (proposal.newer, proposal.older),
    ):
        said = "Not the same as" if dismissed else "May be the same as"
        told = Entry(
            kind=Kind.MERGE_PROPOSAL,
            title=f"{said} {other.reference}{by}: {other.title}",
            body=proposal.reason,
            source=source_of(actor),
            actor=actor,
            data={
                "proposal": proposal.pk,
                "state": proposal.state,
                "other": other.pk,
                "other_reference": other.reference,
                "similarity": proposal.score,
                "parts": proposal.parts,
            },
        )
        unless_sealed(incident, [told])
