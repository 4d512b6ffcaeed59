"""How many HTTP requests this process answered, and how fast.

With PROMETHEUS_MULTIPROC_DIR set when the process starts, gunicorn's workers keep their counts
in files there, and whichever of them is scraped answers for all.
"""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Histogram, disable_created_metrics

disable_created_metrics()
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

REQUESTS = Histogram(
    "studio_http_request_duration_seconds",
    "Time to answer HTTP requests, by route.",
    ["method", "route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


def count_request(*, method: str, route: str | None, status: int, seconds: float) -> None:
    """Counts one answered request; `route` is the URL pattern, None where none matched."""
    _counter(
        method if method in METHODS else "other",
        route if route is not None else "unmatched",
        f"{status // 100}xx",
    ).observe(seconds)


@lru_cache(maxsize=2048)
def _counter(method: str, route: str, status: str) -> Histogram:
    """The series of these labels: looking it up costs more than counting."""
    return REQUESTS.labels(method=method, route=route, status=status)
