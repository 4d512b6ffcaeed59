"""Alerts up and down the line of one failure end in one incident, once it has been analysed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import ApiToken
from correlation import engine, queue
from correlation.models import Analysis
from incidents import demo
from incidents.intake import grouping
from incidents.merges import merging
from incidents.merges.unmerging import unmerge
from incidents.models import AlertOccurrence, Incident, IncidentMerge
from lab.alerts import Alert, Evaluator
from lab.simulation import Recording
from lab.webhooks import GROUP_BY, Group, body, fingerprint
from tests.correlation.conftest import Backend
from tests.correlation.lab_backend import recording, serve

pytestmark = pytest.mark.django_db
EVALUATED_EVERY_SECONDS = 2.0


def fired(recorded: Recording) -> list[Alert]:
    """What the lab's rules fire on, as they stand at the end."""
    evaluator = Evaluator(recorded.tsdb)
    found: list[Alert] = []
    at = recorded.fault_at or recorded.start_at
    while at <= recorded.end_at:
        found = evaluator.evaluate(at)
        at += EVALUATED_EVERY_SECONDS
    return sorted(found, key=lambda alert: alert.fired_at or 0.0)


def deliver(alerts: list[Alert]) -> None:
    """As the lab's Alertmanager does: a delivery for each group, in the order they fired."""
    _token, plain = ApiToken.issue(name="lab", scopes=["intake"], owner=None)
    sender = APIClient()
    sender.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")
    groups: dict[tuple[str, ...], Group] = {}
    for alert in alerts:
        labels = {name: alert.labels[name] for name in GROUP_BY}
        group = groups.setdefault(tuple(labels.values()), Group(labels))
        group.alerts[fingerprint(alert.labels)] = alert
    for group in groups.values():
        answer = sender.post("/api/intake/alertmanager", body(group), format="json")
        assert answer.status_code == 202
        grouping.run_waiting()


def test_alerts_of_one_failure_end_in_one_incident(backend: Backend, settings: Any) -> None:
    settings.JOIN_NEIGHBOURS_SECONDS = 0  # each service opens an incident of its own
    demo.seed()
    serve(backend, settings, "pool-exhaustion")
    alerts = fired(recording("pool-exhaustion"))
    deliver(alerts)
    opened = Incident.objects.active().count()

    engine.run_waiting()

    survivor = Incident.objects.active().get()
    services = {alert.labels["service"] for alert in alerts}
    assert opened == len(services) == 3
    assert survivor.number == 1
    assert (survivor.top_cause_service, survivor.top_cause_kind) == (
        "payment-processing",
        "connection_pool_exhaustion",
    )
    assert set(AlertOccurrence.objects.values_list("incident", flat=True)) == {survivor.pk}
    assert {row.service.slug for row in survivor.affected.all()} == services
    assert [row.automatic for row in IncidentMerge.objects.all()] == [True] * 2
    assert not Analysis.objects.filter(status__in=("queued", "running")).exists()


def test_merging_ends_the_sources_analyses_and_asks_for_one_of_the_survivor(
    make_incident: Callable[..., Incident],
) -> None:
    source, target = make_incident("Cart fails"), make_incident("Checkout fails")
    Analysis.objects.filter(incident=target).update(status="done")

    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    cancelled = Analysis.objects.get(incident=source)
    assert (cancelled.status, cancelled.error) == (
        "cancelled",
        f"{source.reference} was merged into {target.reference}.",
    )
    assert queue.request(incident_id=source.pk, reason="requested") is None
    waiting = Analysis.objects.get(status="queued")
    assert (waiting.incident, waiting.reason) == (target, "merge")


def test_unmerging_asks_for_an_analysis_of_both(make_incident: Callable[..., Incident]) -> None:
    source, target = make_incident("Cart fails"), make_incident("Checkout fails")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)
    Analysis.objects.filter(status="queued").update(status="done")

    unmerge(source_id=source.pk, actor=None)

    waiting = Analysis.objects.filter(status="queued").values_list("incident", "reason")
    assert set(waiting) == {(source.pk, "unmerge"), (target.pk, "unmerge")}
