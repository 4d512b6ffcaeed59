from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Role, User
from correlation.models import CauseVerdict, RootCause
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import incident as telemetry_of

pytestmark = pytest.mark.django_db


def make_person(role: Role) -> User:
    return User.objects.create(username=role, email=f"{role}@example.com", role=role, password="!")


@pytest.fixture
def sam(db: None) -> User:
    return make_person(Role.RESPONDER)


@pytest.fixture
def api(sam: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(sam)
    return client


@pytest.fixture
def cause(make_incident: Callable[..., Incident]) -> RootCause:
    analysis = analysed(make_incident(), telemetry_of("slow_db"))
    return RootCause.objects.get(analysis=analysis, rank=1)


def path(cause: RootCause) -> str:
    return f"/api/incidents/{cause.analysis.incident.reference}/verdicts"


def test_post_records_a_verdict_in_the_askers_name(api: APIClient, cause: RootCause) -> None:
    body = {"cause": str(cause.pk), "verdict": "confirmed", "reason": "Seen."}

    response = api.post(path(cause), body, format="json")

    made = CauseVerdict.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(made.pk),
        "cause": str(cause.pk),
        "service": cause.service,
        "kind": cause.kind,
        "title": cause.title,
        "verdict": "confirmed",
        "reason": "Seen.",
        "by": "responder",
        "at": f"{made.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "after_sealing": False,
    }


def test_correlations_show_the_verdict_that_holds(api: APIClient, cause: RootCause) -> None:
    api.post(path(cause), {"cause": str(cause.pk), "verdict": "rejected"}, format="json")

    shown = api.get(path(cause).replace("verdicts", "correlations")).json()["root_causes"]

    assert (shown[0]["id"], shown[0]["verdict"]) == (str(cause.pk), "rejected")
    assert shown[0]["review"]["by"] == "responder"
    assert (shown[1]["verdict"], shown[1]["review"]) == (None, None)


def test_post_takes_a_cause_that_was_not_ranked(api: APIClient, cause: RootCause) -> None:
    body = {"service": "dns", "verdict": "confirmed"}

    response = api.post(path(cause), body, format="json")

    assert response.status_code == 201
    assert (response.json()["cause"], response.json()["title"]) == (None, "dns: cause not named")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"verdict": "confirmed"}, "cause"),
        ({"verdict": "confirmed", "cause": "one", "reason": ""}, "cause"),
        ({"verdict": "perhaps", "service": "dns"}, "verdict"),
        ({"verdict": "confirmed", "service": "dns", "kind": "DROP TABLE"}, "kind"),
        ({"verdict": "confirmed", "service": "dns", "reason": "x" * 10_001}, "reason"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(
    api: APIClient, cause: RootCause, body: dict[str, Any], field: str
) -> None:
    response = api.post(path(cause), body, format="json")

    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]


def test_cause_and_service_together_are_refused(api: APIClient, cause: RootCause) -> None:
    body = {"verdict": "confirmed", "cause": str(cause.pk), "service": "dns"}

    response = api.post(path(cause), body, format="json")

    assert (response.status_code, list(response.json()["errors"])) == (400, ["cause"])


def test_an_unknown_cause_is_a_404(api: APIClient, cause: RootCause) -> None:
    body = {"verdict": "confirmed", "cause": str(uuid4())}

    assert api.post(path(cause), body, format="json").status_code == 404


def test_withdrawing_nothing_is_a_409(api: APIClient, cause: RootCause) -> None:
    body = {"verdict": "withdrawn", "cause": str(cause.pk)}

    response = api.post(path(cause), body, format="json")

    assert (response.status_code, response.json()["type"]) == (409, "verdict-refused")


def test_viewers_read_and_do_not_judge(cause: RootCause) -> None:
    client = APIClient()
    client.force_authenticate(make_person(Role.VIEWER))
    body = {"cause": str(cause.pk), "verdict": "confirmed"}

    assert client.get(path(cause)).status_code == 200
    assert client.post(path(cause), body, format="json").status_code == 403
    assert CauseVerdict.objects.count() == 0


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_queries_for_any_number(
    api: APIClient, cause: RootCause, sam: User, rows: int
) -> None:
    CauseVerdict.objects.bulk_create(
        CauseVerdict(incident=cause.analysis.incident, service=f"s{n}", title="t",
                     verdict="rejected", by=sam)
        for n in range(rows)
    )  # fmt: skip

    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = api.get(path(cause))

    assert len(response.json()["results"]) == rows
    assert len(queries) == 2


def test_page_confirms_and_shows_who(client: Client, sam: User, cause: RootCause) -> None:
    client.force_login(sam)
    incident = cause.analysis.incident

    response = client.post(
        f"/incidents/{incident.pk}/verdict",
        {"cause": str(cause.pk), "verdict": "confirmed", "reason": "The log <says> so."},
    )

    html = response.content.decode()
    assert response.status_code == 200
    assert "<strong>Confirmed</strong> by responder" in html
    assert "The log &lt;says&gt; so." in html
    assert "Change this verdict" in client.get(incident.get_absolute_url()).content.decode()


def test_page_names_another_cause(client: Client, sam: User, cause: RootCause) -> None:
    client.force_login(sam)
    address = f"/incidents/{cause.analysis.incident.pk}/verdict"

    response = client.post(
        address, {"service": "dns", "kind": "", "verdict": "confirmed", "reason": ""}
    )

    assert "not among the causes above" in response.content.decode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "perhaps", "service": "dns"}, 400),
        ({"verdict": "confirmed", "service": ""}, 409),
        ({"verdict": "confirmed", "service": "dns", "kind": "a b"}, 400),
    ],
)
def test_page_refuses_in_words(
    client: Client, sam: User, cause: RootCause, body: dict[str, str], status: int
) -> None:
    client.force_login(sam)

    response = client.post(f"/incidents/{cause.analysis.incident.pk}/verdict", body)

    assert response.status_code == status
    assert response.json()["detail"]


def test_page_of_a_viewer_does_not_judge(client: Client, cause: RootCause) -> None:
    client.force_login(make_person(Role.VIEWER))

    response = client.post(
        f"/incidents/{cause.analysis.incident.pk}/verdict",
        {"cause": str(cause.pk), "verdict": "confirmed"},
    )

    assert (response.status_code, CauseVerdict.objects.count()) == (403, 0)
