"""What became of the postmortem, on the timeline while that is open and after its seal."""

from __future__ import annotations

from incidents import live
from timeline.models import Kind, TimelineEvent
from timeline.narrate import source_of, unless_sealed
from timeline.postmortems.models import Postmortem, PostmortemStep
from timeline.record import Entry

PANEL = "aftermath"


def draft_title(postmortem: Postmortem) -> str:
    later = f", revision {postmortem.revision}" if postmortem.revision > 1 else ""
    return f"Postmortem drafted{later}"


def step_title(step: PostmortemStep) -> str:
    who = step.by.username if step.by else "Somebody"
    return f"Postmortem: {who} {step.get_act_display()}"


def drafted(postmortem: Postmortem) -> list[TimelineEvent]:
    """Empty after the seal, as for every first draft: the rows themselves are shown then."""
    entry = Entry(
        kind=Kind.POSTMORTEM,
        title=draft_title(postmortem),
        occurred_at=postmortem.created_at,
        data={"postmortem": postmortem.pk, "revision": postmortem.revision, "act": "drafted"},
    )
    live.changed(postmortem.incident_id, PANEL)
    return unless_sealed(postmortem.incident, [entry])


def step(taken: PostmortemStep) -> list[TimelineEvent]:
    """A review that is asked for while the incident is open again, say; empty after the seal."""
    postmortem = taken.postmortem
    entry = Entry(
        kind=Kind.POSTMORTEM,
        title=step_title(taken),
        body=taken.comment,
        source=source_of(taken.by),
        actor=taken.by,
        occurred_at=taken.at,
        data={"postmortem": postmortem.pk, "revision": postmortem.revision, "act": taken.act},
    )
    live.changed(postmortem.incident_id, PANEL)
    return unless_sealed(postmortem.incident, [entry])
