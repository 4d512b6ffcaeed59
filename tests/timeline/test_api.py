from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from incidents import lifecycle
from incidents.models import Incident
from timeline.models import Kind
from timeline.record import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(make_user: Callable[..., User]) -> User:
    return make_user("sam")


@pytest.fixture
def api(sam: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(sam)
    return client


@pytest.fixture
def incident(make_incident: Callable[..., Incident]) -> Incident:
    return make_incident()


def test_list_is_a_bare_array_oldest_first(api: APIClient, incident: Incident, sam: User) -> None:
    event = record(
        incident_id=incident.pk,
        kind=Kind.METRIC_SPIKE,
        title="errors at 31 %",
        severity="high",
        source="prometheus",
        actor=sam,
        data={"value": 0.31},
    )

    answer = api.get(f"/api/incidents/{incident.reference}/timeline")

    assert answer.status_code == 200
    body = answer.json()
    assert [row["kind"] for row in body] == ["incident_created", "metric_spike"]
    assert body[1] == {
        "id": str(event.pk),
        "origin": incident.reference,
        "seq": 2,
        "kind": "metric_spike",
        "severity": "high",
        "source": "prometheus",
        "title": "errors at 31 %",
        "body": "",
        "occurred_at": event.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "recorded_at": event.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": "sam",
        "corrects": None,
        "data": {"value": 0.31},
        "images": [],
        "pinned": False,
        "hash": event.digest,
    }


def test_list_pages_by_seq(api: APIClient, incident: Incident) -> None:
    for n in range(5):
        record(incident_id=incident.pk, kind=Kind.NOTE, title=str(n))

    answer = api.get(f"/api/incidents/{incident.pk}/timeline", {"after_seq": 2, "limit": 3})

    assert [row["seq"] for row in answer.json()] == [3, 4, 5]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"after_seq": "x"}, "after_seq"), ({"limit": 0}, "limit"), ({"limit": 2001}, "limit")],
)
def test_list_names_the_bad_field(
    api: APIClient, incident: Incident, query: dict[str, str], field: str
) -> None:
    answer = api.get(f"/api/incidents/{incident.pk}/timeline", query)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("reference", ["INC-99999", str(UUID(int=1)), "nonsense"])
def test_unknown_incident_is_a_404_problem(api: APIClient, reference: str) -> None:
    for address in ("timeline", "timeline/verify"):
        answer = api.get(f"/api/incidents/{reference}/{address}")

        assert answer.status_code == 404
        assert answer["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("rows", [1, 3])
def test_list_takes_the_same_queries_whatever_the_rows(
    api: APIClient,
    incident: Incident,
    sam: User,
    django_assert_num_queries: Callable[..., object],
    rows: int,
) -> None:
    first = incident.timeline.get()
    for n in range(rows):
        record(
            incident_id=incident.pk, kind=Kind.CORRECTION, title=str(n), actor=sam, corrects=first
        )

    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        answer = api.get(f"/api/incidents/{incident.pk}/timeline")

    assert len(answer.json()) == rows + 1


def test_post_appends_a_note(api: APIClient, incident: Incident, sam: User) -> None:
    answer = api.post(
        f"/api/incidents/{incident.reference}/timeline",
        {"title": "Called the bank", "body": "they **see** it too"},
        format="json",
    )

    assert answer.status_code == 201
    event = incident.timeline.get(seq=2)
    assert (event.kind, event.title, event.actor) == ("note", "Called the bank", sam)
    assert answer.json()["hash"] == event.digest
    assert answer.json()["source"] == "user"


def test_post_corrects_an_event_by_its_seq(api: APIClient, incident: Incident) -> None:
    answer = api.post(
        f"/api/incidents/{incident.pk}/timeline",
        {"title": "It began at 09:58", "kind": "correction", "corrects": 1},
        format="json",
    )

    assert answer.status_code == 201
    assert answer.json()["corrects"] == 1
    assert incident.timeline.get(seq=2).corrects == incident.timeline.get(seq=1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": "no title"}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": "x", "kind": "incident_resolved"}, "kind"),
        ({"title": "x", "kind": "correction"}, "corrects"),
        ({"title": "x", "kind": "correction", "corrects": 77}, "corrects"),
        ({"title": "x", "corrects": 1}, "corrects"),
        ({"title": "x", "body": "x" * 20_001}, "body"),
    ],
)
def test_post_names_the_bad_field(
    api: APIClient, incident: Incident, body: dict[str, object], field: str
) -> None:
    answer = api.post(f"/api/incidents/{incident.pk}/timeline", body, format="json")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert incident.timeline.count() == 1


def test_post_to_a_sealed_timeline_is_409(api: APIClient, incident: Incident) -> None:
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    answer = api.post(
        f"/api/incidents/{incident.pk}/timeline", {"title": "too late"}, format="json"
    )

    assert (answer.status_code, answer.json()["type"]) == (409, "timeline-sealed")


def test_viewers_read_and_do_not_write(incident: Incident, make_user: Callable[..., User]) -> None:
    client = APIClient()
    client.force_authenticate(make_user("vera", Role.VIEWER))
    address = f"/api/incidents/{incident.pk}/timeline"

    assert client.get(address).status_code == 200
    assert client.post(address, {"title": "x"}, format="json").status_code == 403
    assert APIClient().get(address).status_code == 401


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_timeline_is_append_only(api: APIClient, incident: Incident, method: str) -> None:
    answer = getattr(api, method)(f"/api/incidents/{incident.pk}/timeline", {}, format="json")

    assert answer.status_code == 405


def test_verify_answers_what_is_so(api: APIClient, incident: Incident) -> None:
    answer = api.get(f"/api/incidents/{incident.reference}/timeline/verify")

    assert answer.json() == {
        "ok": True,
        "length": 1,
        "head": incident.timeline.get().digest,
        "sealed_at": None,
        "bad_seq": None,
        "reason": "",
        "absorbed": [],
    }
