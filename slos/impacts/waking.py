"""Have impacts computed by the workers. A message is only a wake-up: each evaluation wants the
impact of every active incident anyway, so what a broker loses is made good within a minute."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction

from incidents.models import Incident
from slos.models import SLO

logger = logging.getLogger("studio.slos")
MOST = 200
"""Active incidents that one evaluation looks after, the newest of the worst first."""


def wake(incident_id: UUID) -> None:
    """Evaluate the SLOs of its services and compute its impact, soon after commit."""
    from slos.tasks import assess_incident

    transaction.on_commit(lambda: _send(assess_incident, incident_id, True), robust=True)


def wake_all() -> int:
    """After an evaluation: compute the impact of what is active; how many."""
    from slos.tasks import assess_incident

    with_slos = SLO.objects.filter(enabled=True).values("service__environment")
    active = Incident.objects.active().filter(environment__in=with_slos)
    due = list(active.exclude(source=Incident.Source.BACKFILL).in_board_order()[:MOST])
    for incident in due:
        _send(assess_incident, incident.pk, False)
    return len(due)


def _send(task: object, incident_id: UUID, evaluate: bool) -> None:
    try:
        task.delay(str(incident_id), evaluate)  # type: ignore[attr-defined]
    except Exception as error:
        # kombu's errors differ by transport
        logger.warning(
            "broker unavailable, the next evaluation assesses %s: %s", incident_id, error
        )
