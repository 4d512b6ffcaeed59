"""Services measured by a Prometheus, and SLOs of them with a period of stored rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np

SCRAPE_SECONDS = 15.0
PODS = 2
LATENCY_BUCKETS = ("0.1", "0.25", "1", "+Inf")
REQUESTS_A_SCRAPE = 300
FAILING_EACH = 25
"""Every so-manieth service fails a tenth of its requests for the last half hour."""


def service(number: int) -> str:
    return f"service-{number}"


def write_history(out: TextIO, services: int, seconds: float, end: float) -> int:
    """OpenMetrics text of two pods a service scraped until `end`; how many samples."""
    chance = np.random.default_rng(1)
    written = 0
    for number in range(services):
        for pod in range(PODS):
            first = end - seconds + (3.1 * number + 7 * pod) % SCRAPE_SECONDS
            times = np.round(np.arange(first, end, SCRAPE_SECONDS), 3)
            stamps = [f"{at:.3f}" for at in times.tolist()]
            fails = (number % FAILING_EACH == 0) & (times > end - 1800)
            for name, counts in _series(number, pod, len(times), fails, chance):
                values = (1000 + np.cumsum(counts)).tolist()
                out.writelines(
                    f"{name} {value} {at}\n" for value, at in zip(values, stamps, strict=True)
                )
                written += len(values)
    out.write("# EOF\n")
    return written


def _series(
    number: int, pod: int, size: int, fails: Any, chance: np.random.Generator
) -> Iterator[tuple[str, Any]]:
    labels = f'service="{service(number)}",pod="{service(number)}-{pod}"'
    requests = chance.poisson(REQUESTS_A_SCRAPE, size)
    failed = chance.binomial(requests, np.where(fails, 0.1, 0.0005))
    yield f'http_requests_total{{{labels},status="200"}}', requests - failed
    yield f'http_requests_total{{{labels},status="500"}}', failed
    for bucket, share in zip(LATENCY_BUCKETS, (0.6, 0.985, 0.999, 1.0), strict=True):
        counted = (requests * share).astype(int)
        yield f'http_request_duration_seconds_bucket{{{labels},le="{bucket}"}}', counted
    yield f"http_request_duration_seconds_count{{{labels}}}", requests


def make_slos(count: int, url: str) -> list[Any]:
    """`count` SLOs, an availability and a latency by turns, a service for every two."""
    from correlation.models import DataSource
    from incidents.models import Service
    from slos.burn import workbook_policies
    from slos.models import SLO
    from slos.stored import policy_json

    DataSource.objects.update(by_default=False)
    DataSource.objects.create(
        slug="bench", kind=DataSource.Kind.PROMETHEUS, url=url, by_default=True
    )
    services = Service.objects.bulk_create(
        Service(slug=service(n), name=service(n)) for n in range(-(-count // 2))
    )
    policies = [policy_json(policy) for policy in workbook_policies()]
    made = []
    for number in range(count):
        owner = services[number // 2]
        form: dict[str, Any] = {
            "kind": "latency",
            "histogram": f'http_request_duration_seconds{{service="{owner.slug}"}}',
            "seconds": 0.25,
        }
        if number % 2 == 0:
            form = {
                "kind": "ratio",
                "total": f'http_requests_total{{service="{owner.slug}"}}',
                "bad": f'http_requests_total{{service="{owner.slug}",status=~"5.."}}',
            }
        made.append(
            SLO(
                name=f"{owner.slug}-{form['kind']}", service=owner, indicator=form,
                target=0.99 if form["kind"] == "latency" else 0.999, policies=policies,
            )
        )  # fmt: skip
    return SLO.objects.bulk_create(made, batch_size=500)


def store_rows(days: float, end: float) -> int:
    """Five-minute rows and hours of every SLO for the days before `end`; how many.

    By SQL: PostgreSQL only.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        stored = 0
        for seconds in (300, 3600):
            cursor.execute(
                "INSERT INTO slos_slosample (slo_id, at, seconds, good, total, present,"
                " counted_seconds, consistent, excluded)"
                " SELECT slo.id, moment, %(seconds)s, 39.99 * %(seconds)s, 40.0 * %(seconds)s, 1,"
                " %(seconds)s, true, false FROM slos_slo AS slo, generate_series("
                " date_trunc('hour', to_timestamp(%(end)s)) - make_interval(hours => %(hours)s)"
                "  + make_interval(secs => %(seconds)s), to_timestamp(%(end)s),"
                " make_interval(secs => %(seconds)s)) AS moment",
                {"seconds": seconds, "end": end, "hours": round(days * 24)},
            )
            stored += cursor.rowcount
        cursor.execute("VACUUM ANALYZE")
    return stored
