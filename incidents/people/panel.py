"""Who does what, on the incident page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.live import Panel, register
from incidents.models import Incident
from incidents.people import roles


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{held: the roles held now or then, commander: the row or None, open: roles may change}."""
    held = roles.held(incident, as_of)
    return {
        "held": held,
        "commander": roles.commander(incident, as_of),
        "open": as_of is None and not incident.is_resolved and not incident.merged_into_id,
    }


def register_panel() -> None:
    register(Panel("people", "incidents/_people.html", context, column="side", order=5))
