"""An incident from its first signal to its sealed record, told through the API alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from correlation import engine
from incidents import demo
from tests.correlation.conftest import Backend
from tests.correlation.lab_backend import serve
from timeline.reporting import writing
from timeline.reporting.sections import sections

pytestmark = pytest.mark.django_db
STORY = [
    "incident_created",
    "correlation_analysis_started",
    "metric_spike",
    "root_cause_identified",
    "mitigation_applied",
    "status_changed",
    "incident_resolved",
]
"""What must be told, in this order; other events may stand between. SLO breaches come before the
mitigation once SLOs are evaluated in tests."""


@pytest.fixture
def api(sam: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(sam)
    return client


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_story_from_opening_to_the_seal(
    api: APIClient, backend: Backend, settings: Any
) -> None:
    demo.seed()
    started_at = serve(backend, settings, "pool-exhaustion")
    body = {
        "title": "Payments fail",
        "severity": "critical",
        "service": "payment-processing",
        "started_at": started_at.astimezone(UTC).isoformat(),
    }

    path = f"/api/incidents/{api.post('/api/incidents', body, format='json').json()['id']}"
    engine.run_waiting()
    cause = api.get(f"{path}/correlations").json()["root_causes"][0]
    api.post(f"{path}/acknowledge", format="json")
    api.post(f"{path}/mitigate", {"reason": "The pool is larger."}, format="json")
    resolved = api.post(
        f"{path}/resolve",
        {"root_cause": cause["title"], "resolution": "Raised the limit."},
        format="json",
    ).json()
    engine.run_waiting()
    writing.run_waiting()
    report = api.get(f"{path}/report.json")
    events = api.get(f"{path}/timeline").json()
    again = api.post(f"{path}/resolve", format="json")
    edited = api.patch(path, {"severity": "low"}, format="json")
    noted = api.post(f"{path}/timeline", {"title": "One more thing"}, format="json")

    kinds = iter(event["kind"] for event in events)
    assert [kind for kind in STORY if kind in kinds] == STORY
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (cause["service"], resolved["status"]) == ("payment-processing", "resolved")
    took = moment(resolved["resolved_at"]) - moment(resolved["started_at"])
    assert resolved["mttr_seconds"] == took.total_seconds()
    assert events[-1]["data"]["mttr_seconds"] == took.total_seconds()
    assert events[-1]["data"]["root_cause"] == cause["title"]
    refusals = [(answer.status_code, answer.json()["type"]) for answer in (again, edited, noted)]
    assert refusals == [
        (409, "transition-refused"),
        (409, "sealed"),
        (409, "timeline-sealed"),
    ]
    assert "reopen it to change it" in edited.json()["detail"]
    assert api.get(f"{path}/timeline/verify").json()["ok"] is True
    assert_complete(report.json(), cause, events, took.total_seconds())


def assert_complete(
    report: dict[str, Any], cause: dict[str, Any], events: list[dict[str, Any]], mttr: float
) -> None:
    """The report has every section, and each has what the incident's own addresses say."""
    parts = {part["name"]: part for part in report["sections"]}
    assert list(parts) == [section.name for section in sections()]
    assert all(part["data"] and part["markdown"] for part in parts.values())
    assert report["draft"] is False
    assert report["events"] == len(events)
    assert report["root_digest"] == events[-1]["hash"]
    told = parts["timeline"]["data"]["events"]
    assert [event["hash"] for event in told] == [event["hash"] for event in events]
    assert "Raised the limit." in parts["summary"]["markdown"]
    assert cause["title"] in parts["summary"]["markdown"]
    (first, *_others) = parts["root_cause"]["data"]["causes"]
    assert (first["title"], first["service"]) == (cause["title"], "payment-processing")
    assert cause["title"] in parts["root_cause"]["markdown"]
    seconds = {row["name"]: row["seconds"] for row in parts["metrics"]["data"]["rows"]}
    assert (list(seconds), seconds["MTTR"]) == (["TTD", "MTTA", "TTM", "MTTR"], mttr)
    hit = [row["slug"] for row in parts["impact"]["data"]["services"]]
    assert hit == ["payment-processing"]
