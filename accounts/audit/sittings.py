"""Texts that are saved every few seconds while somebody writes: one entry a sitting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from accounts import origin
from accounts.audit.models import AuditEntry
from accounts.audit.recording import record, who_acts
from accounts.audit.words import kind_of

SITTING = timedelta(minutes=10)


def record_writing(action: str, target: models.Model, before: Any, after: Any) -> None:
    """`record`, unless the latest entry about `target` is the same action by who acts now, made
    within SITTING: that one's `before` says what the sitting found, and the next one's what it
    left.
    """
    found = origin.current()
    if found is None:
        return
    latest = (
        AuditEntry.objects.filter(target_type=kind_of(type(target)), target_id=str(target.pk))
        .order_by("-seq")
        .first()
    )
    if latest is not None and latest.action == action and latest.at > timezone.now() - SITTING:
        who = who_acts(found)
        if (latest.actor_kind, latest.actor_id, latest.token_id) == (
            who["actor_kind"],
            who["actor"],
            who["token"],
        ):
            return
    record(action, target, before, after)
