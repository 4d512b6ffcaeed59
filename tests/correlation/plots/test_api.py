"""The plot of a correlation over HTTP."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from correlation.models import Analysis, Correlation
from incidents.models import Incident

MakeIncident = Callable[..., Incident]


@pytest.fixture
def vera(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(
        User.objects.create(username="vera", email="vera@example.com", role=Role.VIEWER)
    )
    return client


def make_correlation(incident: Incident, points: list[list[float]] | None = None) -> Correlation:
    Analysis.objects.filter(incident=incident).delete()
    start = incident.started_at.timestamp()
    drawn = [[start + 5 * n, n / 10] for n in range(9)]
    return Correlation.objects.create(
        id=uuid4(),
        analysis=Analysis.objects.create(incident=incident, status="done"),
        key="metric:checkout:error_ratio",
        rank=1,
        type="metric",
        service="checkout",
        signal="error_ratio",
        title="checkout: error rate rose",
        unit="ratio",
        confidence_score=0.97,
        onset_at=incident.started_at,
        details={"points": drawn if points is None else points},
    )


def path_of(incident: Incident, correlation: UUID) -> str:
    return f"/api/incidents/{incident.reference}/correlations/{correlation}/plot.svg"


def test_plot_is_an_svg_that_may_only_use_its_own_style(
    vera: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    row = make_correlation(incident)

    answer = vera.get(path_of(incident, row.pk), HTTP_ACCEPT="image/svg+xml")

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert ET.fromstring(answer.content).tag == "{http://www.w3.org/2000/svg}svg"


def test_plot_is_cached_until_the_incident_starts_at_another_time(
    vera: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    path = path_of(incident, make_correlation(incident).pk)
    first = vera.get(path)

    again = vera.get(path, HTTP_IF_NONE_MATCH=first["ETag"])
    incident.started_at += timedelta(seconds=10)
    incident.save(update_fields=["started_at"])
    later = vera.get(path, HTTP_IF_NONE_MATCH=first["ETag"])

    assert first["Cache-Control"] == "private, max-age=300"
    assert (again.status_code, again.content) == (304, b"")
    assert later.status_code == 200


def test_plot_comes_in_themes_and_refuses_others(
    vera: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    path = path_of(incident, make_correlation(incident).pk)

    bodies = {theme: vera.get(path, {"theme": theme}).content for theme in ("light", "dark")}
    refused = vera.get(path, {"theme": "neon"})

    assert bodies["light"] != bodies["dark"]
    assert (refused.status_code, refused.json()["errors"]) == (
        400,
        {"theme": ["Choose one of auto, light, dark."]},
    )


def test_plot_of_another_incidents_evidence_is_not_there(
    vera: APIClient, make_incident: MakeIncident
) -> None:
    incident, other = make_incident("one"), make_incident("two")
    row = make_correlation(incident)

    assert vera.get(path_of(other, row.pk)).status_code == 404
    assert vera.get(path_of(incident, uuid4())).status_code == 404


def test_plot_needs_a_login(db: None, make_incident: MakeIncident) -> None:
    incident = make_incident()

    assert APIClient().get(path_of(incident, make_correlation(incident).pk)).status_code == 401


def test_correlations_name_their_plots(vera: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()
    row = make_correlation(incident)

    (drawn,) = vera.get(f"/api/incidents/{incident.pk}/correlations").json()["correlations"]

    assert drawn["plot"] == f"/api/incidents/{incident.pk}/correlations/{row.pk}/plot.svg"
    assert vera.get(drawn["plot"]).status_code == 200


def test_evidence_without_points_names_no_plot(
    vera: APIClient, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    row = make_correlation(incident, points=[])

    (bare,) = vera.get(f"/api/incidents/{incident.pk}/correlations").json()["correlations"]

    assert bare["plot"] is None
    assert vera.get(path_of(incident, row.pk)).status_code == 404
