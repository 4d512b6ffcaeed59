"""Changes told of: kept once, refused by field, found again by id or ref."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from incidents.catalogue.changes import record_change
from incidents.models import ChangeEvent
from tests.incidents.conftest import MakeService

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
ID = "7d5a5c8e-1111-4222-8333-944444444444"


def body(**more: Any) -> dict[str, Any]:
    return {"service": "checkout", "kind": "deploy", "at": AT.isoformat(), "title": "v2"} | more


def test_change_is_told_with_its_files_and_commit(
    api: APIClient, make_service: MakeService
) -> None:
    make_service()

    answer = api.post(
        "/api/changes", body(commit="9f1c", files=["a.py"], diff="-  a\n+  b"), format="json"
    )

    told = answer.json()
    assert answer.status_code == 201
    assert (told["commit"], told["files"], told["diff"]) == ("9f1c", ["a.py"], "-  a\n+  b")
    assert (told["source"], told["service"]) == ("api", "checkout")


def test_commit_needs_no_service(api: APIClient) -> None:
    answer = api.post(
        "/api/changes",
        {"kind": "commit", "at": AT.isoformat(), "title": "Smaller pool", "ref": "9f1c"},
        format="json",
    )

    assert (answer.status_code, answer.json()["service"]) == (201, None)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"service": "nope"}, "service"),
        ({"service": None}, "service"),
        ({"kind": "party"}, "kind"),
        ({"at": "yesterday"}, "at"),
        ({"at": (timezone.now() + timedelta(hours=1)).isoformat()}, "at"),
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"diff": "x" * 200_001}, "diff"),
        ({"files": "a.py"}, "files"),
        ({"files": [{"path": "a.py"}]}, "files"),
        ({"url": "not a url"}, "url"),
        ({"id": "v2"}, "id"),
    ],
)
def test_change_is_refused_by_field(
    api: APIClient, make_service: MakeService, more: dict[str, Any], field: str
) -> None:
    make_service()

    answer = api.post("/api/changes", body(**more), format="json")

    assert answer.status_code == 400
    assert {name.split(".")[0] for name in answer.json()["errors"]} == {field}
    assert ChangeEvent.objects.count() == 0


@pytest.mark.parametrize("missing", ["kind", "at", "title", "service"])
def test_change_needs_its_fields(api: APIClient, make_service: MakeService, missing: str) -> None:
    make_service()
    told = body()
    del told[missing]

    answer = api.post("/api/changes", told, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [missing])


@pytest.mark.parametrize("same", [{"id": ID}, {"ref": "v2"}, {"id": ID, "ref": "v2"}])
def test_change_told_again_is_found(
    api: APIClient, make_service: MakeService, same: dict[str, str]
) -> None:
    make_service()

    first = api.post("/api/changes", body(**same), format="json")
    again = api.post("/api/changes", body(**same), format="json")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert ChangeEvent.objects.count() == 1


def test_commit_of_no_service_told_again_is_found(api: APIClient) -> None:
    told = {"kind": "commit", "at": AT.isoformat(), "title": "Smaller pool", "ref": "9f1c"}

    codes = [api.post("/api/changes", told, format="json").status_code for _ in range(2)]

    assert codes == [201, 200]


def test_id_of_another_change_is_a_conflict_that_says_what_differs(
    api: APIClient, make_service: MakeService
) -> None:
    make_service()
    make_service("cart")
    api.post("/api/changes", body(id=ID), format="json")

    answer = api.post("/api/changes", body(id=ID, service="cart", kind="config"), format="json")

    assert (answer.status_code, answer.json()["fields"]) == (409, ["service", "kind"])


def test_same_ref_of_another_source_is_another_change(make_service: MakeService) -> None:
    columns = {"service": make_service(), "kind": "deploy", "at": AT, "title": "v2", "ref": "v2"}

    one = record_change(source="api", columns=columns)
    other = record_change(source="intake", columns=columns)

    assert (one.created, other.created) == (True, True)
    assert isinstance(one.change.pk, UUID)


def test_viewer_may_not_tell_of_changes(viewer_api: APIClient, make_service: MakeService) -> None:
    make_service()

    assert viewer_api.post("/api/changes", body(), format="json").status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_list_of_changes_costs_the_same_for_any_number(
    api: APIClient,
    make_service: MakeService,
    rows: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(rows):
        service = make_service(f"s{n}")
        ChangeEvent.objects.create(service=service, kind="deploy", at=AT, title=f"v{n}")

    with django_assert_max_num_queries(3):
        answer = api.get("/api/changes")

    assert len(answer.json()["results"]) == rows
