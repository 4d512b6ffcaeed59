"""Whole analyses over HTTP: the right cause, every source named, nothing told twice."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from correlation import engine, outcome, queue, shared_answers
from correlation.models import Analysis, Correlation, DataSource, RootCause
from correlation.panels import newest_and_shown
from correlation.panels import sources as sources_panel
from correlation.telemetry import Ranking
from incidents.models import Incident
from tests.correlation.conftest import Answer, Backend
from tests.correlation.lab_backend import point, serve, shop_incident
from tests.servers import free_port
from timeline.models import TimelineEvent

pytestmark = pytest.mark.django_db
FAULTS = [
    ("pool-exhaustion", "payment-processing", "connection_pool_exhaustion"),
    ("crash-loop", "inventory", "crash_loop"),
    ("slow-database", "postgres", "slow_dependency"),
    ("error-deploy", "checkout", None),
]


def told(incident: Incident, kind: str) -> list[str]:
    events = TimelineEvent.objects.filter(incident=incident, kind=kind).order_by("seq")
    return list(events.values_list("title", flat=True))


@pytest.mark.parametrize(("fault", "culprit", "kind"), FAULTS)
@pytest.mark.parametrize("affected", ["frontend", None])
def test_each_fault_names_its_true_service_first(
    backend: Backend,
    settings: Any,
    fault: str,
    culprit: str,
    kind: str | None,
    affected: str | None,
) -> None:
    started_at = serve(backend, settings, fault)
    incident = shop_incident(affected or culprit, started_at)

    ran = engine.run_waiting()

    analysis = Analysis.objects.get(incident=incident)
    assert (ran, analysis.status, analysis.error) == (1, "done", "")
    top = RootCause.objects.get(analysis=analysis, rank=1)
    assert (top.service, kind or top.kind) == (culprit, top.kind)
    assert top.confidence >= 0.6
    assert {name: s["status"] for name, s in analysis.sources.items()} == {
        "prometheus": "ok",
        "loki": "ok",
        "tempo": "ok",
        "kubernetes": "ok",
    }, analysis.sources
    incident.refresh_from_db()
    assert (incident.top_cause_service, incident.analysis_status) == (culprit, "done")
    assert len(told(incident, "root_cause_identified")) == 1
    supporting = Correlation.objects.filter(pk__in=top.supporting)
    assert all(row.query for row in supporting if row.type == "metric")


def test_a_repeat_tells_nothing_twice(backend: Backend, settings: Any) -> None:
    incident = shop_incident("frontend", serve(backend, settings, "pool-exhaustion"))
    engine.run_waiting()
    before = TimelineEvent.objects.filter(incident=incident).count()

    queue.request(incident_id=incident.pk, reason="repeat")
    engine.run_waiting()

    assert TimelineEvent.objects.filter(incident=incident).count() == before
    first, second = Analysis.objects.filter(incident=incident).order_by("queued_at")
    assert first.superseded_by == second


def test_evidence_ids_are_the_same_for_the_same_analysis_and_key(
    backend: Backend, settings: Any
) -> None:
    import uuid

    shop_incident("frontend", serve(backend, settings, "pool-exhaustion"))
    engine.run_waiting()

    for row in Correlation.objects.all():
        assert row.pk == uuid.uuid5(row.analysis_id, row.key)


def hang(path: str, params: dict[str, list[str]]) -> Answer:
    time.sleep(3)
    return 200, "application/json", b"{}"


NAN = json.dumps(
    {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [{"metric": {"service": "frontend"}, "values": [[1, "NaN"], [2, "+Inf"]]}],
        },
    }
).encode()
BROKEN_PROMETHEUS = [
    ("500", lambda path, params: (500, "text/plain", b"oops"), "unavailable", "500"),
    ("html", lambda path, params: (200, "text/html", b"<html></html>"), "unavailable", "HTML"),
    ("hang", hang, "unavailable", "did not answer"),
    ("nan", lambda path, params: (200, "application/json", NAN), "no_data", "NaN"),
]


@pytest.mark.parametrize(
    ("respond", "status", "words"),
    [case[1:] for case in BROKEN_PROMETHEUS],
    ids=[case[0] for case in BROKEN_PROMETHEUS],
)
def test_broken_prometheus_is_named_and_logs_still_rank(
    backend: Backend, settings: Any, respond: Any, status: str, words: str
) -> None:
    started_at = serve(backend, settings, "pool-exhaustion")
    if respond is hang:
        DataSource.objects.filter(kind="prometheus").update(timeout_seconds=1.0)
    lab = backend.respond
    backend.respond = lambda path, params: (
        lab(path, params) if path.startswith("/loki") else respond(path, params)
    )
    incident = shop_incident("payment-processing", started_at)

    engine.run_waiting()

    analysis = Analysis.objects.get(incident=incident)
    source = analysis.sources["prometheus"]
    assert source["status"] == status
    assert words.lower() in source["detail"].lower()
    assert analysis.sources["loki"]["status"] in ("ok", "partial")
    assert Correlation.objects.filter(analysis=analysis, type="log").exists()
    shown = {s["slug"]: s["status"] for s in sources_panel(incident, None)["sources"]}
    assert shown["prometheus"] == status
    if status == "unavailable":
        assert any("prometheus unavailable" in t for t in told(incident, "source_unavailable"))


def test_refused_loki_is_named_and_metrics_still_rank(backend: Backend, settings: Any) -> None:
    started_at = serve(backend, settings, "pool-exhaustion")
    point(settings, LOKI_URL=f"http://127.0.0.1:{free_port()}")
    incident = shop_incident("payment-processing", started_at)

    engine.run_waiting()

    analysis = Analysis.objects.get(incident=incident)
    assert analysis.status == "done"
    assert analysis.sources["loki"]["status"] == "unavailable"
    assert "refused" in analysis.sources["loki"]["detail"]
    assert RootCause.objects.get(analysis=analysis, rank=1).service == "payment-processing"
    assert any("loki unavailable" in title for title in told(incident, "source_unavailable"))


def test_when_no_source_answers_the_analysis_fails_and_the_last_good_one_stays(
    backend: Backend, settings: Any
) -> None:
    incident = shop_incident("frontend", serve(backend, settings, "pool-exhaustion"))
    engine.run_waiting()
    good = Analysis.objects.get(incident=incident)
    backend.respond = lambda path, params: (503, "text/plain", b"starting")
    shared_answers.forget()
    queue.request(incident_id=incident.pk, reason="repeat")

    engine.run_waiting()

    newest, shown = newest_and_shown(incident, None)
    assert newest is not None
    assert (newest.status, shown) == ("failed", good)
    assert newest.error.startswith("No telemetry source answered (")
    assert incident.analysis_status != "inconclusive"


def test_nothing_configured_is_said(settings: Any) -> None:
    incident = shop_incident("checkout", None)

    engine.run_waiting()

    analysis = Analysis.objects.get(incident=incident)
    assert analysis.status == "inconclusive"
    assert {s["status"] for s in analysis.sources.values()} == {"not_configured"}
    assert len(told(incident, "correlation_inconclusive")) == 1


def test_outcome_of_a_lost_attempt_writes_nothing(settings: Any) -> None:
    shop_incident("checkout", None)
    stale = queue.claim_next()
    assert stale is not None
    queue.release_leases()
    queue.sweep()
    queue.claim_next()
    events = TimelineEvent.objects.count()

    written = outcome.finish(stale, Ranking((), (), inconclusive=True), ())

    assert written is False
    assert TimelineEvent.objects.count() == events
    assert Analysis.objects.get().status == "running"


def test_failure_is_on_the_row_the_incident_and_the_timeline(settings: Any) -> None:
    incident = shop_incident("checkout", None)
    analysis = queue.claim_next()
    assert analysis is not None

    outcome.fail(analysis, "ZeroDivisionError: division by zero")

    analysis.refresh_from_db()
    incident.refresh_from_db()
    assert (analysis.status, analysis.error) == ("failed", "ZeroDivisionError: division by zero")
    assert incident.analysis_status == "failed"
    assert told(incident, "correlation_failed") == ["Correlation analysis failed"]


def test_correlations_answer_has_the_promised_shape(
    backend: Backend, settings: Any, django_user_model: Any
) -> None:
    incident = shop_incident("frontend", serve(backend, settings, "pool-exhaustion"))
    engine.run_waiting()
    client = APIClient()
    client.force_authenticate(
        django_user_model.objects.create(username="vera", email="v@example.com", role="viewer")
    )

    body = client.get(f"/api/incidents/{incident.reference}/correlations").json()

    assert body["analysis"]["status"] == "done"
    assert set(body["analysis"]["sources"]["prometheus"]) == {
        "kind",
        "status",
        "detail",
        "queries",
        "seconds",
        "reason",
    }
    cause = body["root_causes"][0]
    ids = {row["id"] for row in body["correlations"]}
    assert (cause["rank"], cause["service"], cause["verdict"]) == (1, "payment-processing", None)
    assert set(cause["supporting"]) <= ids
    scores = [row["confidence_score"] for row in body["correlations"]]
    assert scores == sorted(scores, reverse=True)


def test_correlations_of_an_unknown_analysis_are_404_and_of_rubbish_400(
    django_user_model: Any,
) -> None:
    incident = shop_incident("frontend", None)
    client = APIClient()
    client.force_authenticate(
        django_user_model.objects.create(username="vera", email="v@example.com", role="viewer")
    )
    url = f"/api/incidents/{incident.pk}/correlations?analysis="

    unknown = client.get(url + str(incident.pk))
    rubbish = client.get(url + "rubbish")

    assert (unknown.status_code, rubbish.status_code) == (404, 400)
    assert "analysis" in rubbish.json()["errors"]


def test_analyse_asks_for_another_run(django_user_model: Any) -> None:
    incident = shop_incident("frontend", None)
    engine.run_waiting()
    client = APIClient()
    client.force_authenticate(
        django_user_model.objects.create(username="sam", email="s@example.com", role="responder")
    )

    answer = client.post(f"/api/incidents/{incident.pk}/analyse")

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["reason"]) == ("queued", "requested")
