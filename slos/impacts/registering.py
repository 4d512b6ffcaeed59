"""Puts the impact where it is seen: the panel, the report, and what came after the seal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from incidents.models import Incident
from slos import breaches
from slos.impacts import report, showing
from timeline import aftermath
from timeline.reporting import sections


def register_all() -> None:
    showing.register_panel()
    sections.register(report.SECTION)
    aftermath.register("slos", after_sealing)


def after_sealing(incident: Incident, since: datetime) -> Iterator[aftermath.AfterSealing]:
    """The breaches that ended after the record was closed."""
    for row in breaches.of_incident(incident).filter(ended_at__gte=since):
        if row.ended_at is not None:
            title = f"SLO recovered: {row.slo} of {row.slo.service.slug}"
            yield aftermath.AfterSealing(row.ended_at, title, row.what, row.slo.get_absolute_url())
