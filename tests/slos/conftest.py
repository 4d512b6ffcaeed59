"""SLOs of the lab's shop, and a server in place of Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from incidents import demo
from incidents.models import Service
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


@pytest.fixture
def lab_end(backend: Backend, settings: LazySettings, db: None) -> float:  # noqa: F811
    """The lab with a pool that ran out a minute ago; when its recording ends."""
    lab_backend.serve(backend, settings, "pool-exhaustion")
    return lab_backend.recording("pool-exhaustion").end_at
