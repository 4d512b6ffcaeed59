"""Merging, undoing it and deciding on proposals through the API."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from incidents.merges import merging
from incidents.models import Incident, MergeProposal
from tests.incidents.conftest import MakeIncident


def test_merge_into_answers_the_survivor(api: APIClient, make_incident: MakeIncident) -> None:
    source, target = make_incident("A"), make_incident("B")

    answer = api.post(f"/api/incidents/{source.pk}/merge", {"into": target.reference})

    assert answer.status_code == 200
    assert answer.json()["id"] == str(target.pk)
    assert answer["ETag"] == f'"{answer.json()["version"]}"'
    got = api.get(f"/api/incidents/{source.pk}").json()
    assert (got["merged_into"], got["survivor"]) == (target.reference, target.reference)


def test_sources_are_merged_any_number_at_once(api: APIClient, make_incident: MakeIncident) -> None:
    target, *sources = [make_incident(f"Incident {n}") for n in range(4)]

    answer = api.post(
        f"/api/incidents/{target.reference}/merge",
        {"sources": [source.reference for source in sources], "reason": "One storm"},
        format="json",
    )

    assert answer.json()["reference"] == target.reference
    listed = api.get(f"/api/incidents/{target.pk}/merges").json()["results"]
    assert {row["incident"] for row in listed} == {source.reference for source in sources}
    assert {(row["into"], row["actor"], row["reason"]) for row in listed} == {
        (target.reference, "sam", "One storm")
    }


def test_survivor_is_the_end_of_the_chain(api: APIClient, make_incident: MakeIncident) -> None:
    a, b, c = (make_incident(name) for name in "ABC")
    merging.merge(source_id=a.pk, target_id=b.pk, actor=None)
    merging.merge(source_id=b.pk, target_id=c.pk, actor=None)

    got = api.get(f"/api/incidents/{a.reference}").json()

    assert (got["merged_into"], got["survivor"]) == (b.reference, c.reference)
    assert api.get(f"/api/incidents/{c.reference}").json()["survivor"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "into"),
        ({"into": "INC-1", "sources": ["INC-1"]}, "into"),
        ({"into": "INC-99"}, "into"),
        ({"into": "INC-1"}, "into"),
        ({"sources": []}, "sources"),
        ({"sources": ["INC-1"]}, "sources"),
    ],
)
def test_merge_refuses_bad_input_by_field(
    api: APIClient, make_incident: MakeIncident, body: dict[str, object], field: str
) -> None:
    make_incident()

    answer = api.post("/api/incidents/INC-1/merge", body, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_merge_of_what_is_merged_is_409(api: APIClient, make_incident: MakeIncident) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    answer = api.post(f"/api/incidents/{source.pk}/merge", {"into": target.reference})

    assert (answer.status_code, answer.json()["type"]) == (409, "transition-refused")


@pytest.mark.parametrize("body", [{"title": "C"}, {"status": "resolved"}])
def test_merged_incident_cannot_be_edited_or_moved(
    api: APIClient, make_incident: MakeIncident, body: dict[str, str]
) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    answer = api.patch(f"/api/incidents/{source.pk}", body, format="json")

    assert (answer.status_code, answer.json()["type"]) == (409, "transition-refused")
    assert answer.json()["detail"].endswith("Allowed: nothing; un-merge it first.")


def test_unmerge_answers_the_incident_as_it_was(
    api: APIClient, make_incident: MakeIncident
) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    answer = api.post(f"/api/incidents/{source.pk}/unmerge", {"reason": "Two pools"})

    assert (answer.status_code, answer.json()["merged_into"]) == (200, None)
    (row,) = api.get(f"/api/incidents/{source.pk}/merges").json()["results"]
    assert (row["undone_by"], row["undone_reason"]) == ("sam", "Two pools")
    assert api.post(f"/api/incidents/{source.pk}/unmerge").status_code == 409


def test_viewer_may_read_and_not_merge(viewer_api: APIClient, make_incident: MakeIncident) -> None:
    a, b = make_incident("A"), make_incident("B")
    pair = MergeProposal.objects.create(older=a, newer=b, score=0.6)

    refused = [
        viewer_api.post(f"/api/incidents/{a.pk}/merge", {"into": b.reference}),
        viewer_api.post(f"/api/incidents/{a.pk}/unmerge"),
        viewer_api.post(f"/api/merge-proposals/{pair.pk}/accept"),
        viewer_api.post(f"/api/merge-proposals/{pair.pk}/dismiss"),
    ]

    assert [answer.status_code for answer in refused] == [403] * 4
    assert viewer_api.get(f"/api/incidents/{a.pk}/merges").status_code == 200
    assert viewer_api.get("/api/merge-proposals").status_code == 200


def test_proposal_is_accepted_once(api: APIClient, make_incident: MakeIncident) -> None:
    older, newer = make_incident("A"), make_incident("B")
    pair = MergeProposal.objects.create(older=older, newer=newer, score=0.6, parts={"time": 0.6})

    answer = api.post(f"/api/merge-proposals/{pair.pk}/accept", {"reason": "Same pool"})

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["decided_by"]) == ("accepted", "sam")
    newer.refresh_from_db()
    assert newer.merged_into == older
    again = api.post(f"/api/merge-proposals/{pair.pk}/dismiss")
    assert (again.status_code, again.json()["type"]) == (409, "already-decided")


def test_proposal_is_dismissed(api: APIClient, make_incident: MakeIncident) -> None:
    older, newer = make_incident("A"), make_incident("B")
    pair = MergeProposal.objects.create(older=older, newer=newer, score=0.6)

    answer = api.post(f"/api/merge-proposals/{pair.pk}/dismiss", {"reason": "Two pools"})

    assert (answer.json()["state"], answer.json()["reason"]) == ("dismissed", "Two pools")
    assert api.get(f"/api/merge-proposals/{uuid4()}").status_code == 404


def test_proposals_are_filtered(api: APIClient, make_incident: MakeIncident) -> None:
    a, b, c = (make_incident(name) for name in "ABC")
    first = MergeProposal.objects.create(older=a, newer=b, score=0.6)
    MergeProposal.objects.create(older=b, newer=c, score=0.6, state="dismissed")

    def listed(query: str) -> list[str]:
        rows = api.get(f"/api/merge-proposals?{query}").json()["results"]
        return [row["id"] for row in rows]

    assert listed("state=open") == [str(first.pk)]
    assert listed(f"incident={a.reference}") == [str(first.pk)]
    assert len(listed(f"incident={b.pk}")) == 2
    assert api.get("/api/merge-proposals?incident=what").status_code == 400


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("address", "queries"), [("merge-proposals", 1), ("merges", 2)])
def test_lists_take_the_same_queries_however_many_rows(
    api: APIClient,
    make_incident: MakeIncident,
    django_assert_num_queries: DjangoAssertNumQueries,
    address: str,
    queries: int,
    rows: int,
) -> None:
    target, *others = [make_incident(f"Incident {n}") for n in range(rows + 1)]
    for other in others:
        MergeProposal.objects.create(older=target, newer=other, score=0.6)
        if address == "merges":
            merging.merge(source_id=other.pk, target_id=target.pk, actor=None)
    path = f"incidents/{target.pk}/merges" if address == "merges" else address

    with django_assert_num_queries(queries):
        answer = api.get(f"/api/{path}")

    assert len(answer.json()["results"]) == rows


def test_merged_ones_cost_the_list_of_incidents_no_query(
    api: APIClient, make_incident: MakeIncident, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    target, *sources = [
        make_incident(f"Incident {n}", started_at=timezone.now() - timedelta(hours=n))
        for n in range(4)
    ]
    for source in sources:
        merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    with django_assert_num_queries(4):
        answer = api.get("/api/incidents")

    assert len(answer.json()["results"]) == Incident.objects.count() == 4
