"""GET /health: whether this process can do its work, quickly and for anybody."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.0
# checks that hang hold a thread each until their own timeout: never more than these
_threads = ThreadPoolExecutor(max_workers=6, thread_name_prefix="health")
_migrated = False


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """`{status, version, checks}`; 503 when the database does not answer, else 200.

    A check is `{status: ok|failed, ms?, reason?}`; reasons name the kind of error only, the
    rest is in the log. Takes at most PATIENCE_SECONDS.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    asked = {name: _threads.submit(_timed, check) for name, check in _checks().items()}
    checks = {name: _answer(name, future, deadline) for name, future in asked.items()}
    healthy = all(check["status"] == "ok" for check in checks.values())
    return JsonResponse(
        {
            "status": "ok" if healthy else "degraded",
            "version": settings.VERSION,
            "checks": checks,
        },
        status=200 if checks["database"]["status"] == "ok" else 503,
    )


def _checks() -> dict[str, Callable[[], None]]:
    shared = _redis if settings.REDIS_URL else _in_process
    return {
        "database": _database,
        "migrations": _migrations,
        "broker": shared,
        "channel_layer": shared,
    }


def _timed(check: Callable[[], None]) -> float:
    started = time.perf_counter()
    try:
        check()
    finally:
        connection.close()  # this thread's own
    return round((time.perf_counter() - started) * 1000, 1)


def _answer(name: str, future: Future[float], deadline: float) -> dict[str, Any]:
    try:
        return {"status": "ok", "ms": future.result(max(0.0, deadline - time.monotonic()))}
    except TimeoutError:
        future.cancel()
        reason = f"no answer within {PATIENCE_SECONDS:.0f} s"
    except Exception as error:  # whatever it is, it is the answer
        logger.warning("health check %s failed: %s", name, error)
        reason = type(error).__name__
    return {"status": "failed", "reason": reason}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


class MigrationsPending(Exception):
    """The database lacks migrations this code knows."""


def _migrations() -> None:
    """Asked until the answer is yes: a running process cannot become unmigrated."""
    global _migrated
    if _migrated:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsPending
    _migrated = True


def _redis() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1
    ) as client:
        client.ping()


def _in_process() -> None:
    """Broker and channel layer live in this process: they answer when it does."""
