"""Drafts a postmortem from the sealed timeline, and again: never over a person's words."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import live
from incidents.models import Incident
from timeline.models import TimelineAnchor
from timeline.postmortems.drafting import draft
from timeline.postmortems.drafting.suggesting import Suggestion, suggestions
from timeline.postmortems.gathering import facts_of
from timeline.postmortems.models import (
    Postmortem,
    PostmortemAction,
    PostmortemSection,
    PostmortemStep,
)
from timeline.postmortems.templates import Chosen, template_for

PANEL = "record"


class NotSealed(ValueError):
    """A postmortem is drafted from a sealed timeline: the incident is not resolved."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident.reference} is {incident.status}; its postmortem is drafted when it is "
            "resolved."
        )


@dataclass(frozen=True)
class Drafted:
    """What the facts say now, section by section; `root_digest` is the seal they were read from."""

    chosen: Chosen
    texts: dict[str, str]
    actions: tuple[Suggestion, ...]
    root_digest: str


def prepare(incident: Incident) -> Drafted:
    """Read the facts and draft every section, no transaction needed. Raises NotSealed."""
    anchor = TimelineAnchor.objects.filter(pk=incident.pk, sealed_at__isnull=False).first()
    if anchor is None:
        raise NotSealed(incident)
    facts = facts_of(incident)
    chosen = template_for(incident)
    current = newest(incident)
    names = {one.name for one in chosen.outlines}
    if current is not None:
        names |= set(current.sections.values_list("name", flat=True))
    texts = {name: draft(name, facts) for name in names}
    return Drafted(chosen, texts, tuple(suggestions(facts)), anchor.root_digest)


def newest(incident: Incident) -> Postmortem | None:
    return Postmortem.objects.filter(incident=incident).order_by("-revision").first()


def store(incident: Incident, drafted: Drafted) -> Postmortem:
    """Make the postmortem, or offer the new draft to the one there is.

    A published one stays; what the record says now goes into a new revision. The caller holds the
    incident's lock.
    """
    current = newest(incident)
    if current is None:
        return _make(incident, drafted, None)
    if current.is_published:
        if current.root_digest == drafted.root_digest:
            return current
        return _make(incident, drafted, current)
    _offer(current, drafted)
    return current


def draft_now(*, incident: Incident, actor: User | None = None) -> Postmortem:
    """Draft for somebody who asks; raises NotSealed."""
    drafted = prepare(incident)
    with transaction.atomic():
        live.changed(incident.pk, PANEL)
        return store(incident, drafted)


def revise(*, incident: Incident, actor: User | None) -> Postmortem:
    """A new revision of a published postmortem, with its words; the unpublished one as it is."""
    drafted = prepare(incident)
    with transaction.atomic():
        live.changed(incident.pk, PANEL)
        current = newest(incident)
        if current is not None and not current.is_published:
            return current
        made = _make(incident, drafted, current)
        PostmortemStep.objects.create(postmortem=made, act=PostmortemStep.Act.REVISED, by=actor)
        return made


def _make(incident: Incident, drafted: Drafted, former: Postmortem | None) -> Postmortem:
    made = Postmortem.objects.create(
        incident=incident,
        revision=former.revision + 1 if former else 1,
        template=former.template if former else drafted.chosen.name,
        root_digest=drafted.root_digest,
    )
    if former is None:
        outlines = drafted.chosen.outlines
        PostmortemSection.objects.bulk_create(
            PostmortemSection(
                postmortem=made,
                name=one.name,
                title=one.title,
                hint=one.hint,
                position=position,
                drafted=drafted.texts[one.name],
                draft_base=drafted.texts[one.name],
            )
            for position, one in enumerate(outlines)
        )
    else:
        _carry(made, former, drafted)
    _suggest(made, drafted.actions)
    return made


def _carry(made: Postmortem, former: Postmortem, drafted: Drafted) -> None:
    """The sections and action items of the revision before; people's words as they are."""
    PostmortemSection.objects.bulk_create(
        PostmortemSection(
            postmortem=made,
            name=old.name,
            title=old.title,
            hint=old.hint,
            position=old.position,
            drafted=drafted.texts[old.name],
            draft_base=old.draft_base if old.text is not None else drafted.texts[old.name],
            text=old.text,
            edited_by_id=old.edited_by_id,
            edited_at=old.edited_at,
        )
        for old in former.sections.all()
    )
    PostmortemAction.objects.bulk_create(
        PostmortemAction(
            postmortem=made,
            key=old.key,
            title=old.title,
            why=old.why,
            position=old.position,
            dropped=old.dropped,
            added_by_id=old.added_by_id,
            task_id=old.task_id,
        )
        for old in former.actions.all()
    )


def _offer(current: Postmortem, drafted: Drafted) -> None:
    """A section nobody wrote in follows its draft; what was approved reads otherwise then."""
    reads_otherwise = False
    for section in current.sections.all():
        text = drafted.texts[section.name]
        if section.drafted == text:
            continue
        section.drafted = text
        fields = ["drafted"]
        if section.text is None:  # nobody's words: what is shown changes
            section.draft_base = text
            section.version += 1
            fields += ["draft_base", "version"]
            reads_otherwise = True
        section.save(update_fields=fields)
    _suggest(current, drafted.actions)
    if reads_otherwise and current.state == Postmortem.State.APPROVED:
        current.state = Postmortem.State.DRAFT
        PostmortemStep.objects.create(postmortem=current, act=PostmortemStep.Act.REDRAFTED)
    current.drafted_at = timezone.now()
    current.root_digest = drafted.root_digest
    current.save(update_fields=["state", "drafted_at", "root_digest", "updated_at"])


def _suggest(postmortem: Postmortem, actions: tuple[Suggestion, ...]) -> None:
    known = set(postmortem.actions.exclude(key="").values_list("key", flat=True))
    last = postmortem.actions.count()
    PostmortemAction.objects.bulk_create(
        PostmortemAction(
            postmortem=postmortem, key=one.key, title=one.title, why=one.why, position=last + n
        )
        for n, one in enumerate(actions)
        if one.key not in known
    )
