"""Searching texts."""

from __future__ import annotations

import pytest

from incidents import text_search
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident


@pytest.mark.django_db
@pytest.mark.parametrize(
    "q", ["CHECKOUT", "eckout fai", "five per", "Pool of", "inc-77", "77", "100 %", "a_b"]
)
def test_incidents_are_found_by_any_of_their_texts_and_their_number(
    q: str, make_incident: MakeIncident
) -> None:
    found = make_incident("checkout fails, 100 %", description="Five per cent of a_b")
    make_incident("search is slow, 100 p", description="axb")
    Incident.objects.filter(pk=found.pk).update(number=77, top_cause="pool of db")

    assert list(Incident.objects.filter(text_search.incidents_with(q))) == [found]
