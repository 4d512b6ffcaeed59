"""Spans that the budget leaves out: added with a reason, withdrawn with one, never gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from slos.burn import HOUR
from slos.evaluating import samples
from slos.models import SLO
from tests.incidents.conftest import api, sam  # noqa: F401  (fixtures)

Make = Callable[..., SLO]
pytestmark = pytest.mark.django_db


@pytest.fixture
def slo(make_slo: Make) -> SLO:
    """With two hours of rows, one event of ten bad in each."""
    made = make_slo()
    end = samples.boundary(timezone.now().timestamp())
    samples.store(samples.Row(made.pk, end - n * 300, samples.Events(9.0, 10.0)) for n in range(24))
    return made


def total(slo: SLO) -> float:
    end = samples.boundary(timezone.now().timestamp())
    return samples.sums({(end - 4 * HOUR, end): [slo.pk]})[slo.pk, 4 * HOUR].total


def test_correction_leaves_its_rows_out_until_it_is_withdrawn(
    api: APIClient,  # noqa: F811
    slo: SLO,
) -> None:
    now = timezone.now()
    whole = total(slo)
    given = {"starts_at": now - timedelta(hours=1), "ends_at": now, "reason": "Load test"}

    made = api.post(f"/api/slos/{slo.name}/corrections", given, format="json")
    corrected = total(slo)
    address = f"/api/slos/{slo.name}/corrections/{made.json()['id']}/withdraw"
    withdrawn = api.post(address, {"reason": "It was no test"}, format="json")
    again = api.post(address, {"reason": "Twice"}, format="json")
    (listed,) = api.get(f"/api/slos/{slo.pk}/corrections").json()["results"]

    assert (made.status_code, made.json()["author"]) == (201, "sam")
    assert corrected < total(slo) == whole
    assert (again.status_code, again.json()["type"]) == (409, "correction-withdrawn")
    assert listed == withdrawn.json()
    assert (listed["withdrawn_by"], listed["withdrawn_reason"]) == ("sam", "It was no test")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"ends_at": "2026-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "yesterday"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "starts_at"),
    ],
)
def test_correction_without_reason_or_length_is_refused(
    api: APIClient,  # noqa: F811
    slo: SLO,
    given: dict[str, str],
    field: str,
) -> None:
    whole = {
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2026-01-01T01:00:00Z",
        "reason": "Load test",
        **given,
    }

    answer = api.post(f"/api/slos/{slo.name}/corrections", whole, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not slo.corrections.exists()


def test_withdrawal_needs_a_reason(api: APIClient, slo: SLO) -> None:  # noqa: F811
    row = slo.corrections.create(
        starts_at=timezone.now() - timedelta(hours=1), ends_at=timezone.now(), reason="Load test"
    )

    answer = api.post(f"/api/slos/{slo.name}/corrections/{row.pk}/withdraw", {}, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])
