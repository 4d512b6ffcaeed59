from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from incidents.durations import Durations, durations
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Moments:
    started_at: datetime = START
    detected_at: datetime = START
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_durations_count_from_the_start_of_the_failure() -> None:
    moments = Moments(START, after(2), after(5), after(30), after(45.5))

    found = durations(moments)

    assert found == Durations(
        ttd=timedelta(minutes=2),
        mtta=timedelta(minutes=5),
        ttm=timedelta(minutes=30),
        mttr=timedelta(minutes=45.5),
    )


def test_durations_are_none_while_their_moment_has_not_come() -> None:
    found = durations(Moments(detected_at=after(1)))

    assert found == Durations(ttd=timedelta(minutes=1), mtta=None, ttm=None, mttr=None)


def test_durations_are_zero_where_clocks_disagree() -> None:
    assert durations(Moments(detected_at=after(-1))).ttd == timedelta(0)


def test_an_incident_gives_its_durations_in_seconds(make_incident: MakeIncident) -> None:
    incident = make_incident()
    incident.started_at = START
    incident.detected_at = after(1)
    incident.mitigated_at = after(2)

    given = (
        incident.ttd_seconds,
        incident.mtta_seconds,
        incident.ttm_seconds,
        incident.mttr_seconds,
    )

    assert given == (60.0, None, 120.0, None)


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        ({}, True),
        ({"closed_as": "duplicate"}, False),
        ({"closed_as": "false_positive"}, False),
        ({"closed_as": "drill"}, False),
        ({"status": "mitigated", "resolved_at": None}, False),
    ],
)
def test_for_stats_leaves_out_what_was_no_failure_of_its_own(
    make_incident: MakeIncident, columns: dict[str, object], counts: bool
) -> None:
    incident = make_incident()
    resolved = {"status": "resolved", "resolved_at": incident.detected_at}
    Incident.objects.filter(pk=incident.pk).update(**{**resolved, **columns})

    assert list(Incident.objects.for_stats()) == ([incident] if counts else [])


def test_for_stats_leaves_out_the_merged(make_incident: MakeIncident) -> None:
    survivor, source = make_incident(), make_incident("Cart fails")
    Incident.objects.update(status="resolved", resolved_at=source.detected_at)
    Incident.objects.filter(pk=source.pk).update(merged_into=survivor)

    assert list(Incident.objects.for_stats()) == [survivor]
