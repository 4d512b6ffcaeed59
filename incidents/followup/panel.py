"""The tasks of an incident, on its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.followup.listing import of_incident
from incidents.live import Panel, register
from incidents.models import Incident


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{tasks: as they are or were, unfinished: how many of them}."""
    tasks = of_incident(incident, as_of)
    return {"tasks": tasks, "unfinished": sum(not one.is_over for one in tasks)}


def register_panel() -> None:
    register(Panel("tasks", "incidents/_tasks.html", context, column="side", order=30))
