"""The postmortem: sections that are drafted and then written by people, its review, its actions."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.models import Incident, IncidentTask, Service, Severity

USER = settings.AUTH_USER_MODEL


class PostmortemTemplate(models.Model):
    """Which sections a postmortem has, for incidents of a severity and a service.

    The most particular template fits: service and severity, service, severity, then one that
    names neither. Without any the built-in sections are used.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField(default=True)
    severity = models.CharField(
        max_length=16, choices=Severity.choices, blank=True, default="", help_text="Empty: any."
    )
    service = models.ForeignKey(
        Service,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="The service that is hit first; empty: any.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TemplateSection(models.Model):
    """One section of a template; one whose `name` is not drafted starts empty."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    template = models.ForeignKey(PostmortemTemplate, models.CASCADE, related_name="sections")
    name = models.SlugField(
        max_length=63, help_text="summary, impact, trigger, ...: drafted; any other starts empty."
    )
    title = models.CharField(max_length=100)
    hint = models.CharField(max_length=500, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "name"], name="template_section_once_per_template"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Postmortem(models.Model):
    """One revision. Published it is frozen: `markdown` and its SHA-256 `digest` say what it said.

    `root_digest` is that of the sealed timeline which the newest drafts were made from.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved"
        PUBLISHED = "published"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="postmortems")
    revision = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    template = models.CharField(max_length=100, blank=True, default="")
    drafted_at = models.DateTimeField(default=timezone.now)
    root_digest = models.CharField(max_length=64, blank=True, default="")
    requested_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    published_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    markdown = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "revision"], name="postmortem_revision_unique"
            ),
            models.UniqueConstraint(
                fields=["incident"],
                condition=~Q(state="published"),
                name="postmortem_one_unpublished",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="postmortem_newest")]

    def __str__(self) -> str:
        return f"{self.incident_id} revision {self.revision}"

    @property
    def is_published(self) -> bool:
        return self.state == self.State.PUBLISHED


class PostmortemSection(models.Model):
    """A section: what was drafted, and what a person made of it.

    `text` is a person's and null until there is one; a new draft never touches it. `draft_base`
    is the draft that the person last saw: where `drafted` differs from it, a newer one is offered.
    `version` counts every change of what is shown; an editor expects the one that was read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    postmortem = models.ForeignKey(Postmortem, models.PROTECT, related_name="sections")
    name = models.SlugField(max_length=63)
    title = models.CharField(max_length=100)
    hint = models.CharField(max_length=500, blank=True, default="")
    position = models.PositiveSmallIntegerField()
    drafted = models.TextField(blank=True, default="")
    draft_base = models.TextField(blank=True, default="")
    text = models.TextField(null=True)
    version = models.PositiveIntegerField(default=1)
    edited_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["postmortem", "name"], name="postmortem_section_once"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def shown(self) -> str:
        return self.drafted if self.text is None else self.text

    @property
    def has_newer_draft(self) -> bool:
        return self.text is not None and self.drafted not in (self.draft_base, self.text)


class PostmortemAction(models.Model):
    """An action item; `key` is the draft's own, empty for what a person added.

    What was dropped stays so, however often it is drafted again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    postmortem = models.ForeignKey(Postmortem, models.PROTECT, related_name="actions")
    key = models.CharField(max_length=200, blank=True, default="")
    title = models.CharField(max_length=300)
    why = models.TextField(blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)
    dropped = models.BooleanField(default=False)
    added_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    task = models.ForeignKey(IncidentTask, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["postmortem", "key"],
                condition=~Q(key=""),
                name="postmortem_action_drafted_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PostmortemStep(models.Model):
    """What was done to a postmortem on its way: asked for review, approved, returned, published."""

    class Act(models.TextChoices):
        REQUESTED = "requested", "asked for a review"
        APPROVED = "approved", "approved it"
        RETURNED = "returned", "asked for changes"
        REVOKED = "revoked", "edited it: the approval is void"
        REDRAFTED = "redrafted", "was drafted again: the approval is void"
        PUBLISHED = "published", "published it"
        REVISED = "revised", "began a new revision"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    postmortem = models.ForeignKey(Postmortem, models.PROTECT, related_name="steps")
    act = models.CharField(max_length=16, choices=Act.choices)
    comment = models.TextField(blank=True, default="")
    by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.get_act_display()
