from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from tests.accounts.conftest import MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(make_user: MakeUser, api: APIClient) -> User:
    user = make_user()
    api.force_authenticate(user)
    return user


def make_tokens(owner: User, count: int, *, step: timedelta = timedelta(seconds=1)) -> None:
    first = timezone.now()
    for number in range(count):
        token, _ = ApiToken.issue(name=str(number), scopes=["read"], owner=owner)
        ApiToken.objects.filter(pk=token.pk).update(created_at=first + number * step)


def names(body: dict[str, Any]) -> list[str]:
    return [row["name"] for row in body["results"]]


def test_pages_go_newest_first_and_back(api: APIClient, owner: User) -> None:
    make_tokens(owner, 5)

    first = api.get("/api/tokens?limit=2").json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()

    assert list(first) == ["next", "previous", "results"]
    assert (names(first), names(second), names(third)) == (["4", "3"], ["2", "1"], ["0"])
    assert (first["previous"], third["next"]) == (None, None)
    assert names(api.get(third["previous"]).json()) == ["2", "1"]


def test_pages_neither_skip_nor_repeat_rows_of_one_moment(api: APIClient, owner: User) -> None:
    make_tokens(owner, 5, step=timedelta(0))
    seen: list[str] = []
    address = "/api/tokens?limit=2"

    while address:
        body = api.get(address).json()
        seen += names(body)
        address = body["next"]

    assert sorted(seen) == ["0", "1", "2", "3", "4"]


def test_limit_defaults_to_50_and_stops_at_200(api: APIClient, owner: User) -> None:
    ApiToken.objects.bulk_create(
        ApiToken(name=str(n), token_hash=str(n), scopes=["read"], owner=owner) for n in range(201)
    )

    counts = [len(names(api.get(f"/api/tokens{q}").json())) for q in ("", "?limit=100000")]

    assert counts == [50, 200]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "", "²", "9" * 30])
def test_bad_limit_is_named(api: APIClient, owner: User, limit: str) -> None:
    answer = api.get("/api/tokens?" + urlencode({"limit": limit}))

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["limit"])


@pytest.mark.parametrize(
    "cursor",
    [
        "rubbish",
        "é",
        b64encode(b"p=no+moment").decode(),
        b64encode(b"p=%00").decode(),
        b64encode(b"p=2026-01-01&o=-5").decode(),
        b64encode(b"p=9999999999999-01-01").decode(),
        b64encode(b"\xff\xfe").decode(),
    ],
)
def test_bad_cursor_is_a_404_problem(api: APIClient, owner: User, cursor: str) -> None:
    make_tokens(owner, 1)

    answer = api.get("/api/tokens?" + urlencode({"cursor": cursor}))

    assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
