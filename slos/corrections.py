"""Exclude a span from an SLO's budget, and take that back; both stay on the record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from slos.evaluating import samples
from slos.keeping import count_soon
from slos.models import SLO, SLOCorrection


class Withdrawn(Exception):
    """The correction does not hold any more."""


def add(
    slo: SLO, *, starts_at: datetime, ends_at: datetime, reason: str, author: User | None
) -> SLOCorrection:
    """Raises ValidationError by field. Rows in the span are left out of the budget at once, those
    to come when they are stored; the status follows with the next pass."""
    row = SLOCorrection(
        slo=slo, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), author=author
    )
    row.full_clean()
    with transaction.atomic():
        row.save()
        samples.exclude(slo.pk, starts_at, ends_at)
        count_soon(slo)
    return row


def withdraw(row: SLOCorrection, *, by: User | None, reason: str) -> SLOCorrection:
    """What it excluded counts again. Raises Withdrawn for one that does not hold any more."""
    now = timezone.now()
    with transaction.atomic():
        held = SLOCorrection.objects.select_for_update().filter(pk=row.pk, withdrawn_at=None)
        found = held.select_related("slo").first()
        if found is None:
            raise Withdrawn
        found.withdrawn_at, found.withdrawn_by = now, by
        found.withdrawn_reason = reason.strip()
        found.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
        samples.exclude(found.slo_id, found.starts_at, found.ends_at)
        count_soon(found.slo)
    return found
