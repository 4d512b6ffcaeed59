"""Changes told of after an incident has opened: what they may explain is analysed again."""

from __future__ import annotations

from datetime import timedelta

from correlation import queue
from correlation.neighbourhood import neighbourhood
from correlation.scope import CHANGES_BEFORE
from incidents.models import ChangeEvent, Incident, ServiceDependency, Status

AFTER_START = timedelta(minutes=5)
"""A change this much later may still be the cause: starts are noticed late and clocks differ."""


def analyse_again(change: ChangeEvent) -> int:
    """Ask for a run of every open incident that `change` may explain; how many there are.

    It may explain what started after it, on services near its own; a commit of no service may be
    anywhere.
    """
    open_ones = Incident.objects.exclude(status=Status.RESOLVED).filter(
        merged_into=None,
        started_at__gte=change.at - AFTER_START,
        started_at__lte=change.at + CHANGES_BEFORE,
    )
    if change.service is not None:
        edges = ServiceDependency.objects.filter(
            caller__environment=change.service.environment
        ).values_list("caller__slug", "callee__slug")
        near = neighbourhood(change.service.slug, edges)
        open_ones = open_ones.filter(
            environment=change.service.environment, affected__service__slug__in=near
        )
    found = list(open_ones.order_by("number").values_list("pk", flat=True).distinct())
    for pk in found:
        queue.request(incident_id=pk, reason="change")
    return len(found)
