"""What requests ask for, in the words of the functions that do it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from slos import keeping, past
from slos.models import SLO, SLOSnapshot

USUAL_SPAN = timedelta(days=1)


def columns_of(given: Mapping[str, Any], row: SLO | None = None) -> tuple[dict[str, Any], bool]:
    """The columns of a body, its service and data source looked up, and whether no data is
    accepted; raises Refused."""
    columns = dict(given)
    accept = bool(columns.pop("accept_no_data", False))
    environment = columns.pop("environment", "")
    if "service" in columns or environment:
        slug = columns.get("service") or (row.service.slug if row is not None else "")
        columns["service"] = keeping.service_named(slug, environment)
    if "data_source" in columns:
        columns["data_source"] = keeping.data_source_named(columns["data_source"])
    return columns, accept


def history_of(slo: SLO, asked: Mapping[str, Any]) -> list[SLOSnapshot]:
    """The snapshots of `from`, `to` and `step`; raises ValidationError for too many of them."""
    end = asked.get("to") or timezone.now()
    try:
        start = asked.get("from") or end - USUAL_SPAN
    except OverflowError:
        raise ValidationError({"to": ["That is before the first day there is."]}) from None
    seconds = (end - start).total_seconds()
    if seconds <= 0:
        raise ValidationError({"from": ["It must be before `to`."]})
    step = asked.get("step") or past.usual_step(seconds)
    if seconds / step > past.MOST_POINTS:
        least = seconds / past.MOST_POINTS
        why = f"That is more than {past.MOST_POINTS} points; at least {least:.0f} s for this span."
        raise ValidationError({"step": [why]})
    return past.snapshots(slo, start, end, step)
