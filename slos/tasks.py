"""Background work of the slos app."""

import time
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from slos.evaluating import catching_up, evaluation, pruning
from slos.impacts import assessing, waking
from slos.models import SLO


@shared_task(name="slos.tasks.evaluate")
def evaluate() -> None:
    evaluation.evaluate(time.time())
    waking.wake_all()


@shared_task(name="slos.tasks.assess_incident")
def assess_incident(incident_id: str, evaluate: bool = True) -> None:
    """With `evaluate` the SLOs of its services are evaluated first."""
    if SLO.objects.filter(enabled=True).exists():
        assessing.want(UUID(incident_id))
        assessing.assess(UUID(incident_id), evaluate=evaluate)


@shared_task(name="slos.tasks.catch_up")
def catch_up() -> None:
    catching_up.catch_up(time.time())


@shared_task(name="slos.tasks.begin")
def begin() -> None:
    """Count what there is and judge it, without waiting for the next turn of either."""
    catching_up.catch_up(time.time())
    evaluation.evaluate(time.time())
    waking.wake_all()


@shared_task(name="slos.tasks.take_up")
def take_up(slo: str) -> None:
    """Count and judge an SLO that was just saved; the next pass would, but people are looking."""
    rows = list(SLO.objects.filter(pk=slo, enabled=True))
    if rows:
        catching_up.catch_up(time.time(), rows)
        evaluation.evaluate(time.time(), rows)


@shared_task(name="slos.tasks.prune_history")
def prune_history() -> None:
    pruning.prune(timezone.now())
