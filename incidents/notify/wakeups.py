"""Wakes the sending task, at most once a pause and process; lost wake-ups cost time alone."""

from __future__ import annotations

import logging
import os

from django.db import transaction

from incidents.intake.wakeups import Waker

logger = logging.getLogger("studio.notify")


def _publish() -> None:
    # the tasks import the deliveries that ask for them
    from incidents.tasks import send_notifications

    try:
        send_notifications.delay()
    except Exception as error:  # kombu's errors differ by transport
        logger.warning("broker unavailable, notifications wait for the sweep: %s", error)


_waker = Waker(_publish)


def wake_after_commit() -> None:
    transaction.on_commit(lambda: _waker.wake(), robust=True)


def _after_fork() -> None:
    global _waker
    _waker = Waker(_publish)


os.register_at_fork(after_in_child=_after_fork)
