"""Which sections a postmortem has: the template that fits its incident, else the built-in ones."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.models import Incident
from timeline.postmortems.models import PostmortemTemplate

ACTION_ITEMS = "action_items"


@dataclass(frozen=True)
class Outline:
    """A section before it is written."""

    name: str
    title: str
    hint: str


@dataclass(frozen=True)
class Chosen:
    """`name` is the template's, "" for the built-in one."""

    name: str
    outlines: tuple[Outline, ...]


BUILT_IN = (
    Outline(
        "summary", "Summary", "What happened, in a few sentences for people who were not there."
    ),
    Outline("impact", "Impact", "Who noticed, what they could not do, for how long, what it cost."),
    Outline("trigger", "Trigger", "What set it off: the change, the load, the moment."),
    Outline("detection", "Detection", "How it was found, and how long that took."),
    Outline(
        "contributing_factors",
        "Contributing factors",
        "Everything without which it would not have happened, or would have been smaller.",
    ),
    Outline("resolution", "Resolution", "What was tried, what helped, and how that was known."),
    Outline("went_well", "What went well", "What made it shorter or smaller."),
    Outline(
        "went_wrong", "What went wrong", "What made it longer or larger. About systems, not people."
    ),
    Outline("were_lucky", "Where we got lucky", "What might not help the next time."),
    Outline(ACTION_ITEMS, "Action items", "Each becomes a task of the incident."),
    Outline("timeline", "Timeline", "The moments that matter."),
    Outline("open_questions", "Open questions", "What is not known yet, and who finds it out."),
)


def template_for(incident: Incident) -> Chosen:
    """The most particular enabled template that fits; of equals the first by name."""
    first = incident.affected.values_list("service", flat=True).first()
    fitting = [
        row
        for row in PostmortemTemplate.objects.filter(enabled=True).prefetch_related("sections")
        if row.severity in ("", incident.severity) and row.service_id in (None, first)
    ]
    fitting.sort(key=lambda row: (row.service_id is None, row.severity == "", row.name))
    for row in fitting:
        outlines = tuple(Outline(one.name, one.title, one.hint) for one in row.sections.all())
        if outlines:
            return Chosen(row.name, outlines)
    return Chosen("", BUILT_IN)
