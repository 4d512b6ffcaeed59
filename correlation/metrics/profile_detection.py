"""Which query profiles fit a Prometheus: one short request for the metric names it has.

What was found is kept for a minute in this process, so most analyses ask nothing; when asking
again fails, what was known serves a while longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from correlation.backends.prometheus import PrometheusClient
from correlation.metrics.profiles import Profile, ProfileQuery
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, timeout_error

KEPT_SECONDS = 60.0
EMPTY_KEPT_SECONDS = 5.0
"""A server that has nothing yet may have something soon."""
STALE_SECONDS = 900.0
MOST_KEPT = 256

_UNSUPPORTED_STATUS = (400, 404, 405, 501)


@dataclass
class _Known:
    names: frozenset[str] = frozenset()
    at: float = float("-inf")

    def age(self) -> float:
        return time.monotonic() - self.at

    @property
    def fresh(self) -> bool:
        return self.age() < (KEPT_SECONDS if self.names else EMPTY_KEPT_SECONDS)


_known: dict[Hashable, _Known] = {}
_locks: dict[Hashable, threading.Lock] = {}
_guard = threading.Lock()


def remembered(key: Hashable) -> frozenset[str] | None:
    """The metric names found for `key` within the last minute, if they were."""
    known = _known.get(key)
    return known.names if known is not None and known.fresh else None


def metric_names(
    key: Hashable,
    client: PrometheusClient,
    profiles: Sequence[Profile],
    matchers: str,
    span: tuple[float, float],
    deadline: Deadline,
) -> tuple[frozenset[str], int]:
    """Those of the profiles' metrics that exist in `span`, and how many requests that took.

    Analyses that begin together ask once. Raises BackendError.
    """
    with _guard:
        lock = _locks.setdefault(key, threading.Lock())
    left = deadline.remaining()
    if not lock.acquire(timeout=max(left, 0.0)):
        raise timeout_error(client.name, left)
    try:
        known = _known.get(key)
        if known is not None and known.fresh:
            return known.names, 0
        try:
            found = client.label_values(
                "__name__",
                deadline,
                match=[selector(profiles, matchers)],
                start=span[0],
                end=span[1],
            )
        except BackendError:
            if known is not None and known.names and known.age() < STALE_SECONDS:
                return known.names, 1
            raise
        _keep(key, frozenset(map(counted, found)))
        return _known[key].names, 1
    finally:
        lock.release()


def selector(profiles: Sequence[Profile], matchers: str) -> str:
    """The series selector that finds every metric by which a profile or a query is known."""
    wanted = {name for one in profiles for row in one.templates for name in row.metrics}
    wanted |= {name for one in profiles for name in one.detect}
    names = "|".join(sorted(map(counted, wanted)))
    return f'{{__name__=~"{names}"{"," + matchers if matchers else ""}}}'


def counted(name: str) -> str:
    """A histogram's name by its count: one series where the buckets are many."""
    for suffix in ("_bucket", "_sum"):
        if name.endswith(suffix):
            return name.removesuffix(suffix) + "_count"
    return name


def present(profiles: Sequence[Profile], names: frozenset[str]) -> list[Profile]:
    """The profiles whose convention is in use, in their order."""
    return [one for one in profiles if names & set(map(counted, one.detect))]


def has_data(row: ProfileQuery, names: frozenset[str]) -> bool:
    """Whether any metric that the query reads exists."""
    return not row.metrics or bool(names & set(map(counted, row.metrics)))


def cannot_list(error: BackendError) -> bool:
    """Whether the server answered, but does not list metric names (a proxy, another API)."""
    return error.kind in ("bad_body", "too_large") or error.status in _UNSUPPORTED_STATUS


def forget() -> None:
    with _guard:
        _known.clear()
        _locks.clear()


def _keep(key: Hashable, names: frozenset[str]) -> None:
    with _guard:
        _known[key] = _Known(names, time.monotonic())
        while len(_known) > MOST_KEPT:
            oldest = min(_known, key=lambda one: _known[one].at)
            del _known[oldest]
            _locks.pop(oldest, None)
