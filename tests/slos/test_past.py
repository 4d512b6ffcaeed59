"""An SLO's history, thinned out to so many points."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from slos import past
from slos.models import SLO, SLOSnapshot
from tests.incidents.conftest import api, sam  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture
def slo(make_slo: Callable[..., SLO]) -> SLO:
    """With a snapshot of each of the last 90 minutes; the budget says how old it is."""
    made = make_slo()
    now = timezone.now()
    SLOSnapshot.objects.bulk_create(
        SLOSnapshot(
            slo=made,
            at=now - timedelta(minutes=n),
            status="healthy",
            quality="ok",
            budget_remaining=float(n),
            burn_rates={"5m": 1.0},
        )
        for n in range(90)
    )
    return made


def test_history_is_the_last_snapshot_of_each_step(api: APIClient, slo: SLO) -> None:  # noqa: F811
    newest = SLOSnapshot.objects.latest("at").at
    asked = {"to": newest.isoformat(), "from": (newest - timedelta(hours=1)).isoformat()}

    rows = api.get(f"/api/slos/{slo.name}/history", {**asked, "step": 600}).json()

    assert [row["budget_remaining"] for row in rows] == [50.0, 40.0, 30.0, 20.0, 10.0, 0.0]
    assert rows[0].keys() == {
        "at", "status", "quality", "sli", "budget_remaining", "burn_rates", "error",
    }  # fmt: skip


def test_history_is_bounded(api: APIClient, slo: SLO) -> None:  # noqa: F811
    many = {"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z", "step": 60}
    backwards = {"from": "2026-06-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}

    refused = [api.get(f"/api/slos/{slo.name}/history", q).json() for q in (many, backwards)]

    assert [list(answer["errors"]) for answer in refused] == [["step"], ["from"]]


@pytest.mark.parametrize(("seconds", "step"), [(60, 60), (86400, 180), (30 * 86400, 5220)])
def test_usual_step_gives_about_five_hundred_points(seconds: float, step: float) -> None:
    assert past.usual_step(seconds) == step
