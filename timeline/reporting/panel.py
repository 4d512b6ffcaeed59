"""What the incident page says of its report and its postmortem."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.live import Panel
from incidents.models import Incident
from timeline.postmortems.models import Postmortem
from timeline.reporting.models import IncidentReport


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{report, postmortem: the newest of each, as known at `as_of`, or None}."""
    rows = IncidentReport.objects.filter(incident=incident).defer("data", "markdown")
    if as_of is not None:
        rows = rows.filter(state=IncidentReport.State.DONE, generated_at__lte=as_of)
    written = Postmortem.objects.filter(incident=incident).defer("markdown")
    if as_of is not None:
        written = written.filter(published_at__lte=as_of)
    return {
        "report": rows.order_by("-version").first(),
        "postmortem": written.order_by("-revision").first(),
        "as_of": as_of,
    }


PANEL = Panel("record", "timeline/_record.html", context, column="top", order=5)
