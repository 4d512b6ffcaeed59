"""Background work of the slos app."""

import time

from celery import shared_task
from django.utils import timezone

from slos.evaluating import catching_up, evaluation, pruning


@shared_task(name="slos.tasks.evaluate")
def evaluate() -> None:
    evaluation.evaluate(time.time())


@shared_task(name="slos.tasks.catch_up")
def catch_up() -> None:
    catching_up.catch_up(time.time())


@shared_task(name="slos.tasks.prune_history")
def prune_history() -> None:
    pruning.prune(timezone.now())
