"""A late look that sees nothing does not replace what was found while it could be seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from correlation.models import Analysis, FingerprintPart
from correlation.panels import newest_and_shown
from incidents import lifecycle
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import healthy
from tests.correlation.incidents import incident as telemetry_of

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


def ends(incident: Incident) -> tuple[Analysis | None, str, str]:
    """(the run shown, the incident's analysis status, its top cause's service)."""
    incident.refresh_from_db()
    return (
        newest_and_shown(incident, None)[1],
        incident.analysis_status,
        incident.top_cause_service,
    )


def test_an_inconclusive_run_after_resolution_replaces_no_cause(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()
    found = analysed(incident, telemetry_of("pool"))
    parts = set(FingerprintPart.objects.values_list("pk", flat=True))
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    last = analysed(incident, healthy())

    found.refresh_from_db()
    assert (last.status, last.superseded_by, found.superseded_by) == ("inconclusive", found, None)
    assert ends(incident) == (found, "done", "payment")
    assert set(FingerprintPart.objects.values_list("pk", flat=True)) == parts


def test_one_that_names_a_cause_after_resolution_stands(make_incident: MakeIncident) -> None:
    incident = make_incident()
    found = analysed(incident, telemetry_of("pool"))
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    last = analysed(incident, telemetry_of("oom"))

    found.refresh_from_db()
    assert found.superseded_by == last
    assert ends(incident) == (last, "done", "cart")


def test_an_inconclusive_run_of_an_open_incident_stands(make_incident: MakeIncident) -> None:
    """While it goes on, that nothing stands out any more is news."""
    incident = make_incident()
    analysed(incident, telemetry_of("pool"))

    last = analysed(incident, healthy())

    assert ends(incident) == (last, "inconclusive", "")


def test_an_inconclusive_run_stands_where_none_named_a_cause(make_incident: MakeIncident) -> None:
    incident = make_incident()
    first = analysed(incident, healthy())
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    last = analysed(incident, healthy(seed=2))

    first.refresh_from_db()
    assert first.superseded_by == last
    assert ends(incident) == (last, "inconclusive", "")


def test_an_earlier_moment_shows_the_run_that_stood_then(make_incident: MakeIncident) -> None:
    incident = make_incident()
    first = analysed(incident, telemetry_of("pool"))
    second = analysed(incident, telemetry_of("oom"))
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    last = analysed(incident, healthy())

    assert newest_and_shown(incident, first.finished_at)[1] == first
    assert newest_and_shown(incident, second.finished_at)[1] == second
    assert newest_and_shown(incident, last.finished_at)[1] == second
