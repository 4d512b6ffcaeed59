"""Our SLIs and burn rates beside those of the generated rules, on one real Prometheus.

Three days of counters with resets, gaps, missed and late scrapes. The server evaluates the rules'
expressions at the very moments of our passes, over minutes that it recorded by them before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from correlation.backends.prometheus import PrometheusClient
from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from incidents.models import Service
from incidents.outbound.deadline import Deadline
from lab.tsdb import Tsdb
from slos.burn import DAY, HOUR, MINUTE, error_budget, workbook_policies
from slos.evaluating import history
from slos.evaluating.evaluation import evaluate
from slos.models import SLO
from slos.sloth_rules import BAD, TOTAL, rules
from slos.stored import policy_json
from tests.servers import ServerError
from tests.servers.prometheus import (
    openmetrics,
    program,
    running_prometheus,
    write_blocks,
)
from tests.slos.scraped import END, SCRAPE, scraped

SECONDS = 3 * DAY + 2 * HOUR
PERIOD = "2d"
SHORT = ("5m", "30m", "1h", "2h", "6h")
MOMENTS = (
    END - 26 * HOUR + 2 * MINUTE,  # an outage has begun
    END - 20 * HOUR + 11 * MINUTE,  # just after a gap
    END - 2 * HOUR - 7 * MINUTE,
    END - 4 * MINUTE,
    END,  # in an outage
)
INDICATORS: dict[str, dict[str, Any]] = {
    "errors": {
        "kind": "ratio",
        "total": 'http_requests_total{service="@"}',
        "bad": 'http_requests_total{service="@",status=~"5.."}',
    },
    "good": {
        "kind": "ratio",
        "total": 'http_requests_total{service="@"}',
        "good": 'http_requests_total{service="@",status!~"5.."}',
    },
    "latency": {
        "kind": "latency",
        "histogram": 'http_request_duration_seconds{service="@"}',
        "seconds": 0.25,
    },
    "queue": {
        "kind": "threshold",
        "query": 'max(queue_depth{service="@"})',
        "op": "lt",
        "value": 150.0,
    },
    "rates": {
        "kind": "ratio",
        "total": 'sum(rate(http_requests_total{service="@"}[{{.window}}]))',
        "bad": 'sum(rate(http_requests_total{service="@",status="503"}[{{.window}}]))',
    },
}
RECORDED = ("payments-errors", "orders-queue", "search-latency")
"""SLOs of whose period the server has every minute."""
ASKED = {
    "payments": ("errors", "good", "latency"),
    "orders": ("errors", "queue", "rates"),
    "search": ("errors", "latency"),
}


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        program("prometheus")
    except ServerError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("prometheus")
    write_blocks(openmetrics(scraped(SECONDS)), folder)
    return folder


@pytest.fixture
def slos(db: None, blocks: Path) -> Iterator[list[SLO]]:
    made = []
    for slug, kinds in ASKED.items():
        service = Service.objects.create(slug=slug, name=slug)
        for kind in kinds:
            form = INDICATORS[kind]
            indicator = {
                key: value.replace("@", slug) if isinstance(value, str) else value
                for key, value in form.items()
            }
            row = SLO(
                name=f"{slug}-{kind}",
                service=service,
                indicator=indicator,
                target=0.99,
                period=PERIOD,
                policies=[policy_json(policy) for policy in workbook_policies()],
            )
            row.full_clean()
            row.save()
            made.append(row)
    with running_prometheus(data=blocks) as url:
        minutes = recorded(url, made)
    write_blocks(openmetrics(minutes), blocks)
    with running_prometheus(data=blocks) as url:
        DataSource.objects.update(by_default=False)
        DataSource.objects.create(
            slug="beside", kind=DataSource.Kind.PROMETHEUS, url=url,
            by_default=True, timeout_seconds=60.0, options={"step_seconds": SCRAPE},
        )  # fmt: skip
        yield made


def recorded(url: str, slos: list[SLO]) -> Tsdb:
    """What the server's rule engine would have recorded of the events of each minute."""
    client, found = PrometheusClient(url, timeout_seconds=60.0), Tsdb(2 * SECONDS)
    for slo in (slo for slo in slos if slo.name in RECORDED):
        for rule in rules_of(slo):
            if rule["record"] in (BAD, TOTAL):
                answer = client.query_range(
                    rule["expr"], END - SECONDS + MINUTE, END, MINUTE, Deadline(60.0)
                )
                (series,) = answer.series
                for at, value in zip(series.times.tolist(), series.values.tolist(), strict=True):
                    found.append(rule["record"], rule["labels"], at, value)
    return found


def rules_of(slo: SLO) -> list[dict[str, Any]]:
    """Those that record the SLI."""
    groups = yaml.safe_load(rules([slo.definition()], SCRAPE))["groups"]
    return list(groups[0]["rules"])


def expressions(slo: SLO) -> dict[str, str]:
    """The expression of each window's error ratio."""
    prefix = "slo:sli_error:ratio_rate"
    return {
        rule["record"].removeprefix(prefix): rule["expr"]
        for rule in rules_of(slo)
        if rule["record"].startswith(prefix)
    }


def close(ours: float | None, theirs: float | None, tolerance: float) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return ours == pytest.approx(theirs, rel=tolerance, abs=tolerance)


def test_sli_and_burn_are_those_of_the_rules_at_the_same_moments(slos: list[SLO]) -> None:
    source = source_of(DataSource.objects.get(slug="beside"))
    indicators = {slo.pk: slo.definition().indicator for slo in slos}
    history.fill(source, indicators, END - SECONDS, END)
    client = PrometheusClient(source.url, timeout_seconds=60.0)
    apart = []

    for at in MOMENTS:
        done = evaluate(at)
        assert (done.evaluated, done.failed) == (len(slos), 0)
        for slo in SLO.objects.order_by("name"):
            for window, expression in expressions(slo).items():
                series = client.query(expression, at, Deadline(60.0)).series
                error = float(series[0].values[-1]) if series else None
                burn = None if error is None else error / error_budget(slo.target)
                tolerance = 1e-6 if window in SHORT else 1e-3
                ours = slo.burn_rates.get(window)
                if window == PERIOD:
                    assert (burn is not None) == (slo.name in RECORDED)
                    if burn is None:
                        continue
                    ours = None if slo.sli is None else (1.0 - slo.sli) / error_budget(slo.target)
                if not close(ours, burn, tolerance):
                    apart.append((slo.name, round(at - END), window, ours, burn))

    assert apart == []
