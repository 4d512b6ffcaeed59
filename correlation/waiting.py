"""Says on the board that analyses wait, when they wait for long or for a free slot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from correlation.models import Analysis
from incidents import notices

LONG = timedelta(seconds=5)


def context() -> dict[str, Any] | None:
    """How many wait and run; None while they are taken as they come."""
    now = timezone.now()
    queued = Q(status=Analysis.Status.QUEUED)
    running = Q(status=Analysis.Status.RUNNING)
    found = Analysis.objects.filter(queued | running).aggregate(
        waiting=Count("pk", filter=queued),
        running=Count("pk", filter=running & Q(lease_until__gt=now)),
        oldest=Min("queued_at", filter=queued),
    )
    if not found["waiting"]:
        return None
    waited = now - found.pop("oldest")
    if found["running"] < settings.CORRELATION_SLOTS and waited < LONG:
        return None
    return {
        **found,
        "slots": settings.CORRELATION_SLOTS,
        "oldest_seconds": waited.total_seconds(),
    }


def register_notice() -> None:
    notices.register(notices.Notice("waiting", "correlation/_waiting.html", context))
