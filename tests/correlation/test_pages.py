from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from correlation.explaining.reasoning import Changed, Reasoning
from correlation.models import Analysis, Correlation, RootCause
from incidents.merges import merging
from incidents.models import Incident

MakeIncident = Callable[..., Incident]
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def make_analysis(make_incident: MakeIncident) -> Callable[..., Analysis]:
    """The newest and only run of a new incident, as its worker would have left it."""

    def make(**columns: Any) -> Analysis:
        incident = make_incident()
        incident.analyses.update(**columns)
        return incident.analyses.get()

    return make


def resting_on(row: Correlation) -> Reasoning:
    """The parts of an explanation that knows of one signal."""
    changed: Changed = {
        "evidence": str(row.pk),
        "type": "metric",
        "service": row.service,
        "peer": None,
        "signal": row.signal,
        "text": "error rate rose",
        "baseline": row.baseline,
        "value": row.value,
        "factor": 40.0,
        "usual_low": 0.0,
        "usual_high": 0.02,
        "unit": row.unit,
        "onset_at": None,
        "query": row.query,
        "source": row.source,
    }
    return {
        "changed": [changed],
        "since": None,
        "change": None,
        "against": [],
        "unexplained": "no strong signal is left unexplained",
        "comparison": {
            "service": "",
            "outcome": "alone",
            "reason": "alone",
            "score": 0.9,
            "their_score": None,
            "text": "none, no other service has evidence of its own",
        },
        "changes": ["No change of checkout is known."],
        "rule": {
            "name": "bad-deploy",
            "shipped": True,
            "because": "errors",
            "adjusted": [],
            "text": "bad-deploy (shipped), because: errors",
        },
        "checks": [{"purpose": "act", "text": "Roll it back.", "evidence": ""}],
    }


def html_of(page: Client, incident: Incident) -> str:
    return page.get(incident.get_absolute_url()).content.decode()


def test_analyse_queues_a_run_in_the_askers_name(
    page: Client, sam: User, make_analysis: Callable[..., Analysis]
) -> None:
    incident = make_analysis(status="done", finished_at=NOON).incident

    response = page.post(f"/incidents/{incident.pk}/analyse")

    asked = Analysis.objects.get(status="queued")
    assert response.status_code == 200
    assert (asked.incident, asked.reason, asked.requested_by) == (incident, "requested", sam)
    assert "Correlation in progress" in response.content.decode()


def test_analyse_of_a_merged_incident_is_refused(page: Client, make_incident: MakeIncident) -> None:
    survivor, merged = make_incident("one"), make_incident("two")
    merging.merge(source_id=merged.pk, target_id=survivor.pk, actor=None)

    response = page.post(f"/incidents/{merged.pk}/analyse")

    assert (response.status_code, response.json()["type"]) == (409, "merged")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"status": "queued"}, "waiting for a free worker"),
        ({"status": "running", "started_at": NOON}, "reading telemetry since"),
        ({"status": "failed", "error": "Prometheus: answered 500."}, "Prometheus: answered 500."),
        (
            {"status": "inconclusive", "finished_at": NOON, "missing": ["no log lines"]},
            "<li>no log lines</li>",
        ),
    ],
)
def test_causes_say_how_the_analysis_stands(
    page: Client, make_analysis: Callable[..., Analysis], columns: dict[str, Any], said: str
) -> None:
    analysis = make_analysis(**columns)

    assert said in html_of(page, analysis.incident)


def test_sources_that_did_not_answer_are_named_with_the_reason(
    page: Client, make_analysis: Callable[..., Analysis]
) -> None:
    loki = {"kind": "loki", "status": "unavailable", "detail": "refused the connection"}
    analysis = make_analysis(status="done", finished_at=NOON, sources={"loki": loki})

    html = html_of(page, analysis.incident)

    assert '<span class="badge state state-unavailable">unavailable</span>' in html
    assert "refused the connection" in html


def test_evidence_shows_its_exact_query_escaped_and_its_plot(
    page: Client, make_analysis: Callable[..., Analysis]
) -> None:
    analysis = make_analysis(status="done", finished_at=NOON)
    start = NOON.timestamp()
    row = Correlation.objects.create(
        id=uuid4(),
        analysis=analysis,
        key="metric:checkout:error_ratio",
        rank=1,
        type="metric",
        source="prometheus",
        service="checkout",
        signal="error_ratio",
        title="checkout: error rate rose",
        unit="ratio",
        confidence_score=0.97,
        onset_at=NOON,
        baseline=0.01,
        value=0.4,
        query='sum(rate(x{status=~"5.."}[30s])) < 1',
        details={"points": [[start + n, n / 10] for n in range(9)], "baseline_low": 0.0},
    )
    RootCause.objects.create(
        analysis=analysis,
        rank=1,
        service="checkout",
        kind="bad_deploy",
        title="checkout: bad deploy",
        confidence=0.93,
        supporting=[str(row.pk)],
        reasoning=resting_on(row),
    )

    html = html_of(page, analysis.incident)

    assert "sum(rate(x{status=~&quot;5..&quot;}[30s])) &lt; 1</code>" in html
    assert html.count('<svg class="plot"') == 1
    assert 'href="#evidence-metric-checkout-error-ratio"' in html
    assert "usually 0\u00a0% to 2\u00a0%, 40 times the baseline" in html
    assert "<li>Roll it back.</li>" in html
    assert html.count('id="evidence-metric-checkout-error-ratio"') == 1
    assert "<dd>40 %</dd>" in html
