"""A postmortem as one Markdown file."""

from __future__ import annotations

from timeline.postmortems.models import Postmortem, PostmortemAction
from timeline.postmortems.templates import ACTION_ITEMS
from timeline.reporting.markdown import bullets, escaped

NOTHING = "*Nothing was written.*"


def as_markdown(postmortem: Postmortem) -> str:
    """As it stands; a published one as it was published."""
    if postmortem.markdown:
        return postmortem.markdown
    incident = postmortem.incident
    actions = list(postmortem.actions.filter(dropped=False).select_related("task__owner"))
    facts = [
        f"Postmortem of {incident.reference}, revision {postmortem.revision}",
        f"{incident.severity.capitalize()}, {escaped(incident.environment)}; started "
        f"{incident.started_at:%Y-%m-%d %H:%M:%S} UTC",
        f"From the timeline with root digest `{postmortem.root_digest}`",
    ]
    if postmortem.published_at is not None:
        by = postmortem.published_by.username if postmortem.published_by else "an API token"
        facts.append(f"Published {postmortem.published_at:%Y-%m-%d %H:%M:%S} UTC by {escaped(by)}")
    else:
        facts.append(f"**{str(postmortem.get_state_display()).capitalize()}, not published**")
    parts = [f"# {escaped(incident.title)}", "  \n".join(facts)]
    for section in postmortem.sections.all():
        parts.append(f"## {escaped(section.title)}")
        text = section.shown.strip()
        if section.name == ACTION_ITEMS:
            text = "\n\n".join(filter(None, (text, _listed(actions))))
        parts.append(text or NOTHING)
    return "\n\n".join(parts) + "\n"


def _listed(actions: list[PostmortemAction]) -> str:
    return bullets(
        f"{escaped(action.title)}{_who(action)}{' ' + action.why if action.why else ''}"
        for action in actions
    )


def _who(action: PostmortemAction) -> str:
    if action.task is None:
        return "."
    owner = action.task.owner.username if action.task.owner else "nobody has it yet"
    return f" (task, {escaped(owner)})."
