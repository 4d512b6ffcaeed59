"""People's words in a postmortem: section by section, each with the version that was read.

A published postmortem is frozen: what is wrong in it is corrected in a new revision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from incidents import live
from timeline.postmortems.drafts import PANEL
from timeline.postmortems.models import (
    Postmortem,
    PostmortemAction,
    PostmortemSection,
    PostmortemStep,
)

LONGEST = 50_000
CHANGED, KEPT = "postmortem_section.changed", "postmortem_section.kept"


class Published(Exception):
    """The postmortem is frozen; a new revision can be begun."""

    def __init__(self, postmortem: Postmortem) -> None:
        super().__init__(
            f"Revision {postmortem.revision} was published and is frozen; begin a new revision."
        )


class SectionConflict(Exception):
    """Somebody else changed the section since it was read; `theirs` is how it stands."""

    def __init__(self, theirs: PostmortemSection, mine: str) -> None:
        self.theirs, self.mine = theirs, mine
        who = theirs.edited_by.username if theirs.edited_by else "a new draft"
        super().__init__(f"{theirs.title} was changed meanwhile by {who}: look at both texts.")


@dataclass(frozen=True)
class Words:
    """What a person wrote in a section that was read at `version`."""

    name: str
    text: str
    version: int


def locked(postmortem_id: UUID) -> Postmortem:
    """The postmortem, locked until the transaction ends. Raises Published."""
    incident_id = Postmortem.objects.values_list("incident", flat=True).get(pk=postmortem_id)
    live.changed(incident_id, PANEL)  # the incident's lock, as every writer here takes first
    postmortem = Postmortem.objects.select_related("incident").get(pk=postmortem_id)
    if postmortem.is_published:
        raise Published(postmortem)
    return postmortem


def write(
    *, postmortem_id: UUID, words: Iterable[Words], actor: User | None
) -> list[PostmortemSection]:
    """Keep people's words, all or none; those that say what stands there already change nothing.

    Raises Published, SectionConflict and PostmortemSection.DoesNotExist.
    """
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        saved = [_write(postmortem, one, actor) for one in words]
        if any(changed for _section, changed in saved):
            _void_approval(postmortem, actor)
            postmortem.save(update_fields=["state", "updated_at"])
        return [section for section, _changed in saved]


def _write(
    postmortem: Postmortem, words: Words, actor: User | None
) -> tuple[PostmortemSection, bool]:
    sections = postmortem.sections.select_related("edited_by")
    section = sections.get(name=words.name)
    text = words.text.replace("\r\n", "\n").replace("\x00", "")
    if text == section.shown:
        return section, False
    if section.version != words.version:
        raise SectionConflict(section, text)
    if section.text is None:
        section.draft_base = section.drafted
    audit.record_writing(CHANGED, section, {"text": section.text}, {"text": text})
    section.text = text
    return _saved(section, actor), True


def take_draft(
    *, postmortem_id: UUID, name: str, version: int, actor: User | None
) -> PostmortemSection:
    """Put the newest draft in place of what a person wrote; conflicts as `write`."""
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        section = postmortem.sections.select_related("edited_by").get(name=name)
        if section.version != version:
            raise SectionConflict(section, section.drafted)
        audit.record(CHANGED, section, {"text": section.text}, {"text": None})
        section.text, section.draft_base = None, section.drafted
        _void_approval(postmortem, actor)
        postmortem.save(update_fields=["state", "updated_at"])
        return _saved(section, actor)


def keep_words(*, postmortem_id: UUID, name: str) -> PostmortemSection:
    """The newest draft was looked at and is not wanted."""
    with transaction.atomic():
        section = locked(postmortem_id).sections.select_related("edited_by").get(name=name)
        if section.draft_base != section.drafted:
            seen = {"draft_base": section.draft_base}
            audit.record(KEPT, section, seen, {"draft_base": section.drafted})
        section.draft_base = section.drafted
        section.save(update_fields=["draft_base"])
        return section


def _saved(section: PostmortemSection, actor: User | None) -> PostmortemSection:
    section.version += 1
    section.edited_by, section.edited_at = actor, timezone.now()
    section.save(update_fields=["text", "draft_base", "version", "edited_by", "edited_at"])
    return section


def _void_approval(postmortem: Postmortem, actor: User | None) -> None:
    """Approved was another text."""
    if postmortem.state == Postmortem.State.APPROVED:
        postmortem.state = Postmortem.State.DRAFT
        PostmortemStep.objects.create(
            postmortem=postmortem, act=PostmortemStep.Act.REVOKED, by=actor
        )


def add_action(
    *, postmortem_id: UUID, title: str, actor: User | None, why: str = ""
) -> PostmortemAction:
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        return PostmortemAction.objects.create(
            postmortem=postmortem,
            title=title,
            why=why,
            added_by=actor,
            position=postmortem.actions.count(),
        )


def drop_action(*, postmortem_id: UUID, action_id: UUID, dropped: bool) -> PostmortemAction:
    """Leave it out, or take it back in; one that is a task already stays."""
    with transaction.atomic():
        action = locked(postmortem_id).actions.get(pk=action_id)
        action.dropped = dropped and action.task_id is None
        action.save(update_fields=["dropped"])
        return action
