"""History thinned out with age: every minute for two days, then fifths of an hour, then hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Extract

from slos.burn import HOUR
from slos.evaluating.samples import STEP
from slos.models import SLOSample, SLOSnapshot

EVERY_MINUTE = timedelta(days=2)
EVERY_FIVE_MINUTES = timedelta(days=32)
FIVE_MINUTE_ROWS = timedelta(days=100)
"""Five-minute rows older than this are in their hours; no window and no period needs them."""


def prune(now: datetime) -> int:
    """Delete what is finer than its age allows, and what SLO_HISTORY_DAYS ends; how many rows."""
    kept = timedelta(days=settings.SLO_HISTORY_DAYS)
    minutes = SLOSnapshot.objects.annotate(minute=Extract("at", "minute"))
    old = minutes.filter(at__lt=now - EVERY_MINUTE)
    gone = [
        old.exclude(minute__in=range(0, 60, round(STEP / 60))),
        minutes.filter(at__lt=now - EVERY_FIVE_MINUTES).exclude(minute=0),
        SLOSnapshot.objects.filter(at__lt=now - kept),
        SLOSample.objects.filter(seconds=int(STEP), at__lt=now - FIVE_MINUTE_ROWS),
        SLOSample.objects.filter(seconds=int(HOUR), at__lt=now - kept),
    ]
    return sum(rows.delete()[0] for rows in gone)
