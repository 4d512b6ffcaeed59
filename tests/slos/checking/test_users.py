"""A service's query of active users is tried before it is kept."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from rest_framework.test import APIClient

from accounts.models import Role
from incidents.models import Service
from tests.incidents.conftest import make_person


@pytest.fixture
def api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def given(query: str) -> dict[str, str]:
    return {"slug": "kiosk", "name": "Kiosk", "users_query": query}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("hour(vector(1))", 'function "hour" is not supported by the lab'),
        ("vector(-3)", "prometheus answers -3, which is no number of users."),
    ],
)
def test_query_is_refused_in_the_words_of_its_source(
    api: APIClient, lab_now: None, query: str, why: str
) -> None:
    answer = api.post("/api/services", given(query), format="json")

    assert answer.status_code == 400
    (words,) = answer.json()["errors"]["users_query"]
    assert why in words
    assert not Service.objects.filter(slug="kiosk").exists()


@pytest.mark.parametrize("query", ["count(up_tomorrow)", "42", "sum(http_requests_total) * 0", ""])
def test_query_that_counts_or_finds_nothing_yet_is_kept(
    api: APIClient, lab_now: None, query: str
) -> None:
    answer = api.post("/api/services", given(query), format="json")

    assert (answer.status_code, answer.json()["users_query"]) == (201, query)


def test_query_is_kept_where_no_source_is_there_to_try_it(api: APIClient) -> None:
    answer = api.post("/api/services", given("hour(vector(1))"), format="json")

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "query", ["sum(", "up[5m]", "(up)[5m:1m]", '"many"', "rate(up)", "no such thing"]
)
def test_what_is_no_value_of_a_moment_is_refused_everywhere(api: APIClient, query: str) -> None:
    answer = api.post("/api/services", given(query), format="json")

    with pytest.raises(ValidationError) as refused:
        Service(**given(query)).full_clean()
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["users_query"])
    assert list(refused.value.message_dict) == ["users_query"]
