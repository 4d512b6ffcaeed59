"""What happened to an incident and to those merged into it, read together and checked together."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from incidents import live
from incidents.merges import merging
from incidents.merges.unmerging import unmerge
from incidents.models import Incident
from tests.timeline.test_verify import unguarded
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.panels import context
from timeline.record import record
from timeline.verify import verify

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


@pytest.fixture
def pair(make_incident: MakeIncident) -> tuple[Incident, Incident]:
    """A survivor and what was merged into it, each with notes, the survivor with one since."""
    survivor, source = make_incident("Checkout fails"), make_incident("Cart fails")
    for n in (1, 2):
        for incident in (source, survivor):
            title = f"{incident.title} {n}"
            record(incident_id=incident.pk, kind=Kind.NOTE, title=title)
    merging.merge(source_id=source.pk, target_id=survivor.pk, actor=None)
    record(incident_id=survivor.pk, kind=Kind.NOTE, title="since")
    return survivor, source


@pytest.fixture
def api(make_user: Callable[..., User]) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user("sam"))
    return client


def titles(events: Any) -> list[str]:
    return [one.event.title for one in events if one.event.kind == Kind.NOTE]


def test_panel_shows_both_in_the_order_they_were_recorded(
    pair: tuple[Incident, Incident],
) -> None:
    survivor, source = pair

    shown = context(survivor, None)
    (panel,) = live.panels(["timeline"])
    html = live.render(panel, survivor, as_of=None, oob=False)

    assert titles(shown["events"]) == [
        "Cart fails 1", "Checkout fails 1", "Cart fails 2", "Checkout fails 2", "since",
    ]  # fmt: skip
    assert f'id="event-{source.reference}-2"' in html
    assert html.count('id="event-2"') == 1
    assert f'href="/incidents/{source.reference}?merged=1"' in html


def test_panel_as_of_before_the_merge_shows_its_own(pair: tuple[Incident, Incident]) -> None:
    survivor, _source = pair
    before = TimelineEvent.objects.get(title="Checkout fails 2").recorded_at

    assert titles(context(survivor, before)["events"]) == ["Checkout fails 1", "Checkout fails 2"]


def test_panel_after_an_unmerge_shows_its_own(pair: tuple[Incident, Incident]) -> None:
    survivor, source = pair

    unmerge(source_id=source.pk, actor=None)

    assert titles(context(survivor, None)["events"]) == [
        "Checkout fails 1", "Checkout fails 2", "since",
    ]  # fmt: skip
    assert titles(context(source, None)["events"]) == ["Cart fails 1", "Cart fails 2"]


def test_api_reads_the_union_on_after_an_event(
    api: APIClient, pair: tuple[Incident, Incident]
) -> None:
    survivor, source = pair
    address = f"/api/incidents/{survivor.pk}/timeline?union=true"

    own = api.get(f"/api/incidents/{survivor.pk}/timeline").json()
    whole = api.get(address).json()
    first = api.get(f"{address}&limit=3").json()
    rest = api.get(f"{address}&after={first[-1]['id']}").json()

    assert {event["origin"] for event in own} == {survivor.reference}
    assert {event["origin"] for event in whole} == {survivor.reference, source.reference}
    assert first + rest == whole
    assert len(whole) == TimelineEvent.objects.count()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("union=true&after_seq=2", "after_seq"),
        ("after=00000000-0000-0000-0000-000000000000", "after"),
        ("union=true&after=00000000-0000-0000-0000-000000000000", "after"),
    ],
)
def test_api_refuses_what_does_not_go_together(
    api: APIClient, pair: tuple[Incident, Incident], query: str, field: str
) -> None:
    answer = api.get(f"/api/incidents/{pair[0].pk}/timeline?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize("merged", [1, 3])
def test_union_takes_the_same_queries_however_many_were_merged(
    make_incident: MakeIncident, django_assert_num_queries: DjangoAssertNumQueries, merged: int
) -> None:
    survivor, *sources = [make_incident(f"Incident {n}") for n in range(merged + 1)]
    for source in sources:
        merging.merge(source_id=source.pk, target_id=survivor.pk, actor=None)

    with django_assert_num_queries(9):
        context(survivor, None)


def test_verify_holds_the_sources_to_what_the_survivor_absorbed(
    pair: tuple[Incident, Incident],
) -> None:
    survivor, source = pair

    result = verify(survivor)

    assert (result.ok, [chain.reference for chain in result.absorbed]) == (True, [source.reference])
    unmerge(source_id=source.pk, actor=None)
    record(incident_id=source.pk, kind=Kind.NOTE, title="on its own")
    again = verify(survivor)
    assert (again.ok, again.absorbed[0].length) == (True, result.absorbed[0].length + 2)


def test_verify_finds_a_changed_event_of_what_was_merged(
    pair: tuple[Incident, Incident],
) -> None:
    survivor, source = pair
    with unguarded():
        source.timeline.filter(seq=2).update(title="x")

    result = verify(survivor)

    assert (result.ok, result.reason) == (False, "")
    (chain,) = result.absorbed
    assert (chain.bad_seq, chain.reason) == (2, "its title differ from what was recorded")
    said = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_timeline", survivor.reference, stdout=said)
    assert said.getvalue() == (
        f"{survivor.reference}, which absorbed {source.reference}: event 2: "
        "its title differ from what was recorded\n"
    )


def test_verify_finds_a_source_that_was_written_anew_as_a_whole(
    pair: tuple[Incident, Incident],
) -> None:
    """Its own chain and anchor agree with each other; the survivor knows better."""
    survivor, source = pair
    with unguarded():
        source.timeline.all().delete()
        TimelineAnchor.objects.filter(incident=source).delete()
    for n in range(4):
        record(incident_id=source.pk, kind=Kind.NOTE, title=f"invented {n}")

    result = verify(survivor)

    assert verify(source).ok
    assert (result.ok, result.absorbed[0].reason) == (
        False,
        "it is not what was sealed when it was merged",
    )


def test_verify_ends_where_two_have_absorbed_each_other(
    pair: tuple[Incident, Incident],
) -> None:
    survivor, source = pair
    unmerge(source_id=source.pk, actor=None)
    merging.merge(source_id=survivor.pk, target_id=source.pk, actor=None)

    assert [verify(one).ok for one in pair] == [True, True]
    assert [len(verify(one).absorbed) for one in pair] == [1, 1]
