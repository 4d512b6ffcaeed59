"""Puts the report where it is seen: its sections, and its line on the incident page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from incidents import live
from incidents.models import Incident
from timeline import aftermath
from timeline.narrate_postmortems import draft_title, step_title
from timeline.postmortems.models import PostmortemStep
from timeline.reporting import happenings, people, standing
from timeline.reporting.models import IncidentReport
from timeline.reporting.panel import PANEL
from timeline.reporting.sections import register


def register_all() -> None:
    own = (
        standing.SUMMARY,
        standing.METRICS,
        standing.IMPACT,
        happenings.ALERTS,
        people.PEOPLE,
        people.TASKS,
        happenings.TIMELINE,
    )
    for section in own:
        register(section)
    live.register(PANEL)
    aftermath.register("record", after_sealing)


def after_sealing(incident: Incident, since: datetime) -> Iterator[aftermath.AfterSealing]:
    """The report's versions and the postmortem's way, as rows of what came after the seal."""
    address = incident.get_absolute_url()
    written = incident.reports.filter(state=IncidentReport.State.DONE, generated_at__gte=since)
    for version, at in written.values_list("version", "generated_at"):
        if at is not None:
            title = f"Report version {version} written"
            yield aftermath.AfterSealing(at, title, "", f"{address}/report")
    drafted = incident.postmortems.filter(created_at__gte=since).only("revision", "created_at")
    for postmortem in drafted:
        title = draft_title(postmortem)
        yield aftermath.AfterSealing(postmortem.created_at, title, "", f"{address}/postmortem")
    steps = PostmortemStep.objects.filter(postmortem__incident=incident, at__gte=since)
    for step in steps.select_related("by"):
        yield aftermath.AfterSealing(
            step.at, step_title(step), step.comment, f"{address}/postmortem"
        )
