"""The demo's past: resolved incidents, so that reports, postmortems and statistics have content.

They are imported as a backfill is: rows of the product's own writers, with the times of then where
something happened and the time of now where it was recorded. No analysis and no message is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import archiving, live, signals
from incidents.followup import add_task
from incidents.models import (
    AffectedService,
    Impact,
    Incident,
    IncidentRole,
    NumberSequence,
    Service,
    Status,
    StatusChange,
)
from incidents.people import roles
from reliability_studio.demo_stories import STORIES, Said, Story
from timeline.models import Kind
from timeline.postmortems import drafts, editing, review
from timeline.postmortems.editing import Words
from timeline.record import record
from timeline.reporting import queue as reports

STEPS = ((Status.INVESTIGATING, "acknowledged"), (Status.MITIGATED, "mitigated"))


def seed(now: datetime | None = None) -> int:
    """Write the stories into an installation that has no incident yet; how many.

    All or none: a start that is interrupted begins anew.
    """
    now = now or timezone.now()
    with transaction.atomic():
        NumberSequence.lock("incident")
        if Incident.objects.exists():
            return 0
        people = {user.username: user for user in User.objects.all()}
        made = [_live_through(story, now - story.ago, people) for story in STORIES]
        for story, incident in zip(STORIES, made, strict=True):
            _write_of(story, incident, people)
    archiving.archive_due(now)
    return len(made)


def _live_through(story: Story, began: datetime, people: dict[str, User]) -> Incident:
    def after(minutes: float) -> datetime:
        return began + timedelta(minutes=minutes)

    commander = people[story.commander]
    incident = Incident.objects.create(
        number=NumberSequence.take("incident"),
        title=story.title,
        description=story.description,
        severity=story.severity,
        source=Incident.Source.BACKFILL,
        started_at=began,
        detected_at=after(story.detected),
        acknowledged_at=after(story.acknowledged),
        mitigated_at=after(story.mitigated),
    )
    services = {row.slug: row for row in Service.objects.filter(slug__in=story.services)}
    AffectedService.objects.bulk_create(
        AffectedService(
            incident=incident,
            service=services[slug],
            impact=Impact.SECONDARY if position else Impact.PRIMARY,
            added_at=incident.detected_at,
            recovered_at=after(story.resolved - position),
        )
        for position, slug in enumerate(story.services)
        if slug in services
    )
    _step(incident, Status.OPEN, incident.detected_at, None)
    roles.assign(
        incident_id=incident.pk,
        user=commander,
        role=IncidentRole.Role.COMMANDER,
        actor=commander,
        at=after(story.acknowledged),
    )
    happened: list[tuple[float, Status | Said]] = [(getattr(story, name), to) for to, name in STEPS]
    happened += [(said.minute, said) for said in story.notes]
    for minute, what in sorted(happened, key=lambda one: one[0]):
        if isinstance(what, Status):
            reason = story.mitigation if what == Status.MITIGATED else ""
            _step(incident, what, after(minute), commander, reason)
        else:
            record(
                incident_id=incident.pk,
                kind=Kind.NOTE,
                title=what.title,
                body=what.body,
                source="page",
                actor=people[what.by],
                occurred_at=after(minute),
            )
    incident.refresh_from_db()
    incident.resolved_at = after(story.resolved)
    incident.root_cause, incident.resolution = story.root_cause, story.resolution
    _step(incident, Status.RESOLVED, incident.resolved_at, commander)
    signals.sealing.send(Incident, incident=incident, actor=commander)
    live.changed(incident.pk, "header", "services")
    incident.refresh_from_db()
    return incident


def _step(
    incident: Incident, to: Status, at: datetime, actor: User | None, reason: str = ""
) -> None:
    opening = not incident.status_changes.exists()
    before = "" if opening else incident.status
    incident.status = to
    incident.save(update_fields=["status", "resolved_at", "root_cause", "resolution", "updated_at"])
    StatusChange.objects.create(
        incident=incident, from_status=before, to_status=to, at=at, actor=actor, reason=reason
    )


def _write_of(story: Story, incident: Incident, people: dict[str, User]) -> None:
    """Its report, which a worker writes, a task, and its postmortem as far as that has come."""
    commander = people[story.commander]
    other = next(people[name] for name in ("sam", "admin") if name != story.commander)
    add_task(incident_id=incident.pk, title=story.task, actor=commander, owner=other)
    reports.request(incident_id=incident.pk)
    postmortem = drafts.draft_now(incident=incident)
    versions = dict(postmortem.sections.values_list("name", "version"))
    words = [Words(name, text, versions[name]) for name, text in story.words.items()]
    editing.write(postmortem_id=postmortem.pk, words=words, actor=commander)
    if story.state == "draft":
        return
    review.request_review(postmortem_id=postmortem.pk, actor=commander, comment="Please read it.")
    if story.state == "published":
        if settings.POSTMORTEM_REQUIRES_APPROVAL:
            review.approve(postmortem_id=postmortem.pk, actor=other, comment="Reads well.")
        review.publish(postmortem_id=postmortem.pk, actor=commander)
