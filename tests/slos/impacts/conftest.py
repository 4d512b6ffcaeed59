"""The lab with a pool that ran out six minutes ago, and what the shop itself counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.conf import LazySettings

from incidents.models import Incident
from lab.faults import FAULTS
from lab.logstore import LogStore
from lab.simulation import Recording, Simulation
from lab.tsdb import Tsdb
from slos.models import SLO
from tests.correlation import lab_backend
from tests.correlation.conftest import Backend

Make = Callable[..., SLO]
HEALTHY, BROKEN = 1500.0, 360.0
END = 1_750_000_020.0
"""Long past: what the lab does depends on when. A whole minute, and no five-minute boundary."""
SERVICE = "payment-processing"


@dataclass(frozen=True)
class Truth:
    """What the shop itself counted: requests and failed ones, before the fault and in it."""

    recording: Recording
    before: Counter[str]
    during: Counter[str]


def counters(simulation: Simulation) -> Counter[str]:
    found: Counter[str] = Counter()
    for series, value in simulation.samples():
        if series.name == "http_requests_total" and series.labels["service"] == SERVICE:
            found["total"] += int(value)
            found["bad"] += int(value) * series.labels["status"].startswith("5")
    return found


_kept: list[Truth] = []


def made() -> Truth:
    end = END
    tsdb, logs = Tsdb(), LogStore()
    simulation = Simulation(11, end - HEALTHY - BROKEN, tsdb, logs)
    simulation.fast_forward(end - BROKEN - 300.0)
    usual = counters(simulation)
    simulation.fast_forward(end - BROKEN)
    began = counters(simulation)
    fault = FAULTS["pool-exhaustion"]
    simulation.start_fault(fault)
    simulation.fast_forward(end)
    recording = Recording(tsdb, logs, simulation, end - HEALTHY - BROKEN, end, fault, end - BROKEN)
    return Truth(recording, usual, counters(simulation) - began)


@pytest.fixture
def truth(backend: Backend, settings: LazySettings, db: None) -> Truth:
    if not _kept:
        _kept.append(made())
    lab_backend.serve_recording(backend, settings, _kept[0].recording)
    settings.IMPACT_BASELINE_SECONDS = HEALTHY - 300.0
    return _kept[0]


@pytest.fixture
def incident(truth: Truth, make_slo: Make) -> Incident:
    make_slo()
    assert truth.recording.fault_at is not None
    return lab_backend.shop_incident(SERVICE, datetime.fromtimestamp(truth.recording.fault_at, UTC))
