"""Runs that failed are tried again, after longer and longer pauses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from correlation.models import Analysis
from correlation.retrying import pause_after, retry_failed
from incidents.models import Incident

MakeIncident = Callable[..., Incident]


def failing(make_incident: MakeIncident, *seconds_ago: float, **columns: Any) -> Incident:
    """An incident whose runs failed so many seconds ago."""
    incident = make_incident()
    now = timezone.now()
    Analysis.objects.all().delete()
    for ago in seconds_ago:
        given = {"status": "failed", "attempt": 1, "finished_at": now - timedelta(seconds=ago)}
        Analysis.objects.create(incident=incident, **(given | columns))
    Incident.objects.filter(pk=incident.pk).update(analysis_status="failed")
    return incident


@pytest.mark.parametrize(
    ("seconds_ago", "tried"),
    [((14,), 0), ((16,), 1), ((60, 29), 0), ((60, 31), 1), ((200, 100, 59), 0), ((200, 99, 61), 1)],
)
def test_failed_run_is_tried_again_after_a_pause_that_doubles(
    make_incident: MakeIncident, seconds_ago: tuple[float, ...], tried: int
) -> None:
    incident = failing(make_incident, *seconds_ago)

    assert retry_failed() == tried
    incident.refresh_from_db()
    assert incident.analysis_status == ("queued" if tried else "failed")


def test_pause_is_an_hour_at_most() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 9, 400)] == [15, 30, 3600, 3600]


def test_run_that_is_queued_is_not_queued_again(make_incident: MakeIncident) -> None:
    failing(make_incident, 100)

    assert (retry_failed(), retry_failed()) == (1, 0)


def test_run_whose_workers_were_lost_is_left_as_it_is(make_incident: MakeIncident) -> None:
    failing(make_incident, 100, attempt=3)

    assert retry_failed() == 0


@pytest.mark.parametrize("changed", [{"source": "backfill"}, {"status": "resolved"}])
def test_incident_that_is_over_or_of_the_past_is_left_as_it_is(
    make_incident: MakeIncident, changed: dict[str, str]
) -> None:
    incident = failing(make_incident, 100)
    now = timezone.now()
    over = {"resolved_at": now, "mitigated_at": now} if "status" in changed else {}
    Incident.objects.filter(pk=incident.pk).update(**changed, **over)

    assert retry_failed() == 0
