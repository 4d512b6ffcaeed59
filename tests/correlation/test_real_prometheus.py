"""The product pointed at a real Prometheus: the lab's history as blocks, and a live scrape.

Skipped by name where `python -m tests.servers.prometheus fetch` could not get one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from correlation import engine, queue
from correlation.models import DataSource, RootCause
from incidents.models import Incident
from lab.exposition import FAMILIES
from reliability_studio import children
from tests.correlation.conftest import Backend
from tests.correlation.lab_backend import newest, point, recording, serve, shop_incident
from tests.correlation.test_engine import FAULTS
from tests.servers import ServerError
from tests.servers.prometheus import openmetrics, program, running_prometheus

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
SCRAPE_SECONDS = 5
HISTORY_SECONDS = 1500.0
PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _real_prometheus() -> None:
    try:
        program("prometheus")
        program("promtool")
    except ServerError as error:
        pytest.skip(f"real Prometheus: {error}")


def top_cause(incident: Incident) -> RootCause:
    analysis = newest(incident)
    assert (analysis.status, analysis.error) == ("done", "")
    return RootCause.objects.get(analysis=analysis, rank=1)


def named(cause: RootCause) -> tuple[str, str]:
    return cause.service, cause.kind


@pytest.mark.parametrize(("fault", "culprit"), [(fault, culprit) for fault, culprit, _ in FAULTS])
def test_history_in_a_real_prometheus_names_the_same_cause(
    backend: Backend, settings: Any, fault: str, culprit: str
) -> None:
    started_at = serve(backend, settings, fault)
    point(settings, LOKI_URL="")  # the metrics alone decide
    incident = shop_incident("frontend", started_at)
    engine.run_waiting()
    stand_in = top_cause(incident)

    with running_prometheus(openmetrics(recording(fault).tsdb)) as url:
        point(settings, PROMETHEUS_URL=url)
        queue.request(incident_id=incident.pk, reason="requested")
        engine.run_waiting()

    real = top_cause(incident)
    assert newest(incident).sources["prometheus"]["status"] == "ok"
    assert named(real) == named(stand_in)
    assert real.service == culprit
    assert real.confidence == pytest.approx(stand_in.confidence, abs=0.1)


@contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """The URL of a `python -m lab` whose history is there."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "lab", "--history", str(HISTORY_SECONDS)]
    with (folder / "lab.log").open("wb") as log:
        process = children.start(
            [*command, "--port-file", str(port_file)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "LAB_TOKEN": ""},
        )
    try:
        until(port_file.exists)
        url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        until(lambda: requests.get(f"{url}/lab/status", timeout=5).json()["ready"])
        yield url
    finally:
        children.stop(process, stop_signal=signal.SIGTERM)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def scraping(lab: str) -> str:
    """A prometheus.yml that scrapes the lab as its own alert rules expect: every 5 s."""
    address = lab.removeprefix("http://")
    return f"""
global: {{scrape_interval: {SCRAPE_SECONDS}s, scrape_timeout: {SCRAPE_SECONDS}s}}
scrape_configs:
  - job_name: shop
    honor_labels: true
    static_configs: [{{targets: ["{address}"]}}]
"""


def history_of(lab: str) -> str:
    """What the lab has scraped of itself, labelled as `scraping` will go on to label it."""
    target = f'job="shop",instance="{lab.removeprefix("http://")}"'
    lines = []
    for name in FAMILIES:
        query = f'{{__name__=~"{name}(_bucket|_sum|_count)?"}}[{HISTORY_SECONDS:.0f}s]'
        answer = requests.get(f"{lab}/prometheus/api/v1/query", {"query": query}, timeout=30)
        assert answer.status_code == 200, answer.text
        for series in answer.json()["data"]["result"]:
            labels = dict(series["metric"])
            pairs = ",".join([target, *(f'{k}="{v}"' for k, v in labels.items() if k[0] != "_")])
            head = f"{labels['__name__']}{{{pairs}}}"
            lines += [f"{head} {value} {at:.3f}" for at, value in series["values"]]
    return "\n".join([*lines, "# EOF", ""])


def test_prometheus_that_scrapes_the_lab_finds_its_fault(tmp_path: Path, settings: Any) -> None:
    settings.SCRAPE_INTERVAL_SECONDS = float(SCRAPE_SECONDS)
    with running_lab(tmp_path) as lab, running_prometheus(history_of(lab), scraping(lab)) as url:
        point(settings, PROMETHEUS_URL=url)
        DataSource.objects.update(timeout_seconds=30.0)  # lab and tests share two cores with it
        up = f'up{{instance="{lab.removeprefix("http://")}"}}'
        until(
            lambda: requests.get(f"{url}/api/v1/query", {"query": up}, timeout=5).json()["data"][
                "result"
            ]
        )
        begun_at = timezone.now()
        requests.post(f"{lab}/lab/faults/pool-exhaustion/start", timeout=5).raise_for_status()
        incident = shop_incident("frontend", begun_at)

        def found() -> bool:
            """The repeats of a young incident, without waiting for their times."""
            time.sleep(SCRAPE_SECONDS)
            queue.request(incident_id=incident.pk, reason="repeat")
            engine.run_waiting()
            incident.refresh_from_db()
            return incident.top_cause_service == "payment-processing"

        until(found)

    cause = top_cause(incident)
    assert named(cause) == ("payment-processing", "connection_pool_exhaustion")
    assert cause.confidence >= 0.6
    assert newest(incident).sources["prometheus"]["status"] == "ok"
