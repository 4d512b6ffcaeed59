"""Root cause and evidence in a report, from an analysis of made-up telemetry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string

from accounts import chain
from accounts.models import User
from correlation.memory import verdicts
from correlation.models import Analysis
from correlation.reporting import cause_section, evidence_section
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import healthy
from tests.correlation.incidents import incident as telemetry_of
from timeline import notes
from timeline.reporting.markdown import percent

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


def stored(data: dict[str, Any]) -> dict[str, Any]:
    """As a report keeps it."""
    kept: dict[str, Any] = json.loads(chain.canonical(data))
    return kept


def test_cause_is_told_with_its_confidence_and_reasoning(make_incident: MakeIncident) -> None:
    incident = make_incident()
    run = analysed(incident, telemetry_of("pool"))
    top = run.root_causes.get(rank=1)

    data = stored(cause_section.gather(incident, None))

    first = data["causes"][0]
    assert (data["status"], data["run"]["id"]) == ("done", str(run.pk))
    assert (first["title"], first["confidence"], first["band"]) == (
        top.title, top.confidence, top.band,
    )  # fmt: skip
    assert [line["text"] for line in first["card"]["changed"]] == [
        one["text"] for one in top.reasoning["changed"]
    ]
    assert f"confidence {percent(top.confidence)}" in cause_section.markdown(data)


def test_verdict_of_a_person_stands_beside_the_cause(
    make_incident: MakeIncident, sam: User
) -> None:
    incident = make_incident()
    cause = analysed(incident, telemetry_of("pool")).root_causes.get(rank=1)
    verdicts.give(
        incident_id=incident.pk, cause=cause, verdict="confirmed", reason="seen", actor=sam
    )

    data = stored(cause_section.gather(incident, None))

    said = data["causes"][0]["verdict"]
    assert (said["verdict"], said["by"], said["reason"]) == ("confirmed", sam.username, "seen")
    assert f"Confirmed by {sam.username}: seen" in cause_section.markdown(data)


def test_inconclusive_run_says_what_is_missing(make_incident: MakeIncident) -> None:
    incident = make_incident()
    run = analysed(incident, healthy())

    data = stored(cause_section.gather(incident, None))

    assert (data["status"], data["missing"]) == ("inconclusive", run.missing)
    assert "**Inconclusive.**" in cause_section.markdown(data)


def test_incident_nobody_analysed_says_so(make_incident: MakeIncident) -> None:
    incident = make_incident()
    Analysis.objects.all().delete()

    data = stored(cause_section.gather(incident, None))

    assert (data["status"], cause_section.markdown(data)) == ("none", "No analysis was made.")
    assert evidence_section.markdown(stored(evidence_section.gather(incident, None))) == (
        "No evidence was found."
    )


def test_failed_analysis_is_told_with_its_error(make_incident: MakeIncident) -> None:
    incident = make_incident()
    Analysis.objects.update(status="failed", error="Prometheus did not answer")

    data = stored(cause_section.gather(incident, None))

    assert cause_section.markdown(data) == "The analysis failed: Prometheus did not answer"


def test_evidence_keeps_query_and_plot_of_what_supports_the_cause(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()
    run = analysed(incident, telemetry_of("pool"))
    supporting = run.root_causes.get(rank=1).supporting

    data = stored(evidence_section.gather(incident, None))

    first = data["rows"][0]
    row = run.correlations.get(pk=first["id"])
    assert first["id"] in supporting
    assert (first["title"], first["query"], data["total"]) == (
        row.title, row.query, run.correlations.count(),
    )  # fmt: skip
    assert [one["title"] for one in data["rows"] if one["plot"]] != []
    assert f"/api/incidents/{incident.pk}/" in evidence_section.markdown(data)


@pytest.mark.parametrize("fault", ["pool", "cpu"])
def test_sections_render_from_what_is_stored(make_incident: MakeIncident, fault: str) -> None:
    incident = make_incident()
    analysed(incident, telemetry_of(fault))

    for section in (cause_section.SECTION, evidence_section.SECTION):
        data = stored(section.gather(incident, None))
        shown = render_to_string(section.template, {"data": data})
        assert data.get("causes", data.get("rows"))[0]["title"].split(":")[0] in shown
        assert notes.render(section.markdown(data)) != ""


def test_query_cannot_close_its_block() -> None:
    assert evidence_section._fenced("a\n```\nb") == "````\na\n```\nb\n````"
