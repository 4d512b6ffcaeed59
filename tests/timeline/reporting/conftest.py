"""Incidents that are over, and their reports written at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from incidents import lifecycle
from incidents.models import Incident
from timeline.reporting import queue, writing
from timeline.reporting.models import IncidentReport

MakeIncident = Callable[..., Incident]


def settled(incident: Incident) -> Incident:
    """As when its analyses have come to an end."""
    Incident.objects.filter(pk=incident.pk).update(analysis_status="done")
    incident.refresh_from_db()
    return incident


def written(incident: Incident) -> IncidentReport:
    """The newest report of a resolved incident, after a worker has been there."""
    settled(incident)
    writing.run_waiting()
    return incident.reports.order_by("-version")[0]


@pytest.fixture
def make_resolved(db: None, make_incident: MakeIncident) -> MakeIncident:
    def make(title: str = "Checkout errors", **more: Any) -> Incident:
        actor = more.pop("by", None)
        texts = {name: more.pop(name) for name in ("root_cause", "resolution") if name in more}
        made = make_incident(title, **more)
        return lifecycle.resolve(incident_id=made.pk, actor=actor, **texts)

    return make


@pytest.fixture
def claim() -> Callable[[Incident], IncidentReport]:
    def take(incident: Incident) -> IncidentReport:
        settled(incident)
        report = queue.claim_next()
        assert report is not None
        return report

    return take
