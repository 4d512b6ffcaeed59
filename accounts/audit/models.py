"""The audit's entries, the anchor that shows a deleted tail, and drafts on their way there."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

NAME_LENGTH = 200


class AuditEntry(models.Model):
    """One mutation, never changed. Written by `accounts.audit.chaining` only; triggers refuse
    the rest.

    `before` and `after` hold the fields that changed: both for a change, one of them for what
    was made or deleted, none where the action says it all. `canonical` is the text that was
    hashed, `digest` = SHA-256 of the digest before (`previous`, empty for the first) and that
    text.
    """

    class ActorKind(models.TextChoices):
        PERSON = "person"
        TOKEN = "token"  # noqa: S105
        COMMAND = "command"
        NOBODY = "nobody", "nobody signed in"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seq = models.PositiveBigIntegerField(unique=True, help_text="1 for the first entry.")
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=64, help_text="thing.what: incident.created.")
    actor_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="audit_entries"
    )
    actor_name = models.CharField(max_length=NAME_LENGTH, help_text="As it was then.")
    token = models.ForeignKey("accounts.ApiToken", models.PROTECT, null=True, related_name="+")
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    via = models.CharField(max_length=300, blank=True, help_text="Method and route, or command.")
    target_type = models.CharField(max_length=64, blank=True)
    target_id = models.CharField(max_length=100, blank=True)
    target_name = models.CharField(max_length=NAME_LENGTH, blank=True, help_text="As it was then.")
    reason = models.TextField(blank=True)
    before: Any = models.JSONField(null=True)
    after: Any = models.JSONField(null=True)
    canonical = models.TextField()
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["actor", "-seq"], name="audit_by_actor"),
            models.Index(fields=["action", "-seq"], name="audit_by_action"),
            models.Index(fields=["target_type", "target_id", "-seq"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}. {self.actor_name}: {self.action} {self.target_name}".rstrip()

    def entry(self) -> dict[str, Any]:
        """What the canonical text says."""
        return {
            "id": self.id,
            "seq": self.seq,
            "at": self.at,
            "action": self.action,
            "actor_kind": self.actor_kind,
            "actor": self.actor_id,
            "actor_name": self.actor_name,
            "token": self.token_id,
            "address": self.address,
            "request_id": self.request_id,
            "via": self.via,
            "target_type": self.target_type,
            "target_id": self.target_id,
            "target_name": self.target_name,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
        }


class AuditAnchor(models.Model):
    """The one row that says how long the chain is and where it ends; also its writers' lock."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    length = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="audit_anchor_is_one"),
        ]

    def __str__(self) -> str:
        return f"{self.length} entries"


class AuditDraft(models.Model):
    """An entry written in the transaction of what it tells, chained once that has committed.

    Chaining at once would hold the chain's one lock until the transaction ends, and two that
    touch the same rows in another order would wait for each other.
    """

    at = models.DateTimeField(default=timezone.now)
    said = models.TextField(help_text="Canonical JSON of the entry without seq.")

    def __str__(self) -> str:
        return f"draft {self.pk}"
