"""SLOs of the lab's shop, and a server in place of Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from incidents import demo
from incidents.models import Service
from lab.simulation import Recording, run
from slos.burn import workbook_policies
from slos.models import SLO
from slos.stored import policy_json
from tests.correlation import lab_backend
from tests.correlation.conftest import (  # noqa: F401  (fixtures)
    Backend,
    backend,
    no_shared_answers,
)

REQUESTS = 'http_requests_total{service="payment-processing"}'
FAILED = 'http_requests_total{service="payment-processing",status=~"5.."}'


@pytest.fixture
def make_slo(db: None) -> Callable[..., SLO]:
    """An SLO of a service of the shop, valid unless a test says otherwise."""

    def make(slug: str = "payment-processing", **columns: Any) -> SLO:
        demo.seed()
        indicator = {
            "kind": "ratio",
            "total": REQUESTS.replace("payment-processing", slug),
            "bad": FAILED.replace("payment-processing", slug),
        }
        values = {
            "name": f"{slug}-availability",
            "indicator": indicator,
            "target": 0.999,
            "policies": [policy_json(policy) for policy in workbook_policies()],
            **columns,
        }
        row = SLO(service=Service.objects.get(slug=slug), **values)
        row.full_clean()
        row.save()
        return row

    return make


_made: list[Recording] = []


@pytest.fixture
def lab_end(backend: Backend, settings: LazySettings, db: None) -> float:  # noqa: F811
    """The lab with a pool that ran out four minutes ago; when its recording ends.

    The last whole minute before the end lies well within the fault.
    """
    if not _made:
        _made.append(run(7, 1200.0, "pool-exhaustion", 240.0, timezone.now().timestamp()))
    lab_backend.serve_recording(backend, settings, _made[0])
    return _made[0].end_at


@pytest.fixture
def lab_now(lab_end: float, backend: Backend, settings: LazySettings) -> None:  # noqa: F811
    """The same, for what asks about the hour before now: its end lies in that hour."""
    if lab_end < timezone.now().timestamp() - 1200.0:
        _made[0] = run(7, 1200.0, "pool-exhaustion", 240.0, timezone.now().timestamp())
        lab_backend.serve_recording(backend, settings, _made[0])
