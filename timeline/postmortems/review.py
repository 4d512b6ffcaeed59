"""The way of a postmortem: asked for review, approved by somebody else, published and frozen."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import signals
from incidents.followup import add_task
from incidents.models import Incident
from timeline.models import TimelineAnchor
from timeline.postmortems.document import as_markdown
from timeline.postmortems.editing import locked
from timeline.postmortems.models import Postmortem, PostmortemAction, PostmortemStep
from timeline.reporting.composing import digest_of

State, Act = Postmortem.State, PostmortemStep.Act


class StepRefused(ValueError):
    """The text says why, in words for the person who asked."""


def request_review(*, postmortem_id: UUID, actor: User | None, comment: str = "") -> Postmortem:
    """draft -> in_review. Raises StepRefused, Published."""
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        if postmortem.state != State.DRAFT:
            raise StepRefused(f"It is {_now(postmortem)} already.")
        postmortem.state, postmortem.requested_by = State.IN_REVIEW, actor
        postmortem.save(update_fields=["state", "requested_by", "updated_at"])
        _step(postmortem, Act.REQUESTED, actor, comment)
        return postmortem


def approve(*, postmortem_id: UUID, actor: User | None, comment: str) -> Postmortem:
    """in_review -> approved, by another person than who asked, with a comment."""
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        _reviewing(postmortem, comment)
        if actor is None or actor.pk == postmortem.requested_by_id:
            raise StepRefused("Somebody else than the person who asked for the review approves.")
        postmortem.state, postmortem.approved_by = State.APPROVED, actor
        postmortem.save(update_fields=["state", "approved_by", "updated_at"])
        _step(postmortem, Act.APPROVED, actor, comment)
        return postmortem


def send_back(*, postmortem_id: UUID, actor: User | None, comment: str) -> Postmortem:
    """in_review -> draft, with what is to be changed."""
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        _reviewing(postmortem, comment)
        postmortem.state = State.DRAFT
        postmortem.save(update_fields=["state", "updated_at"])
        _step(postmortem, Act.RETURNED, actor, comment)
        return postmortem


def publish(*, postmortem_id: UUID, actor: User | None) -> Postmortem:
    """Freeze it: its action items become tasks, its text is kept with its digest.

    Raises StepRefused for one that is not approved (where POSTMORTEM_REQUIRES_APPROVAL) and while
    the incident is open again, Published.
    """
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        if settings.POSTMORTEM_REQUIRES_APPROVAL and postmortem.state != State.APPROVED:
            raise StepRefused(f"It is {_now(postmortem)}; somebody else approves it first.")
        anchor = TimelineAnchor.objects.filter(pk=postmortem.incident_id).first()
        if anchor is None or anchor.sealed_at is None:
            raise StepRefused("The incident is open again; it is published when it is resolved.")
        for action in postmortem.actions.filter(dropped=False, task=None):
            _make_task(postmortem, action, actor)
        postmortem.state = State.PUBLISHED
        postmortem.published_by, postmortem.published_at = actor, timezone.now()
        postmortem.markdown = as_markdown(postmortem)
        postmortem.digest = digest_of(postmortem.markdown)
        postmortem.save(
            update_fields=[
                "state", "published_by", "published_at", "markdown", "digest", "updated_at",
            ]
        )  # fmt: skip
        _step(postmortem, Act.PUBLISHED, actor, "")
        signals.postmortem_published.send(
            Incident, incident=postmortem.incident, postmortem=postmortem, actor=actor
        )
        return postmortem


def make_task(*, postmortem_id: UUID, action_id: UUID, actor: User | None) -> PostmortemAction:
    """Make the action item a task of the incident; the one it is already, where it is."""
    with transaction.atomic():
        postmortem = locked(postmortem_id)
        action = postmortem.actions.select_related("task").get(pk=action_id)
        if action.task_id is None:
            _make_task(postmortem, action, actor)
        return action


def _make_task(postmortem: Postmortem, action: PostmortemAction, actor: User | None) -> None:
    action.task = add_task(
        incident_id=postmortem.incident_id,
        title=action.title,
        description=action.why,
        actor=actor,
    )
    action.dropped = False
    action.save(update_fields=["task", "dropped"])


def _reviewing(postmortem: Postmortem, comment: str) -> None:
    if postmortem.state != State.IN_REVIEW:
        raise StepRefused(f"It is {_now(postmortem)}; nobody has asked for a review.")
    if not comment.strip():
        raise StepRefused("A review needs a comment.")


def _now(postmortem: Postmortem) -> str:
    return str(postmortem.get_state_display()).lower()


def _step(postmortem: Postmortem, act: str, actor: User | None, comment: str) -> None:
    PostmortemStep.objects.create(postmortem=postmortem, act=act, by=actor, comment=comment.strip())
