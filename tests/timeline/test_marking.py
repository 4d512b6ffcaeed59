"""Pins, links, corrections, filters and permalinks: by page and by API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from incidents import lifecycle, live
from incidents.merges import merging
from incidents.models import Incident
from timeline import pins
from timeline.kinds import GROUPS, meant, named
from timeline.models import Kind, PinnedEvent, TimelineEvent
from timeline.record import Entry, record, record_many
from timeline.verify import verify
from timeline.whole_page import PAGE

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def sam(make_user: Callable[..., User]) -> User:
    return make_user("sam")


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def api(sam: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(sam)
    return client


@pytest.fixture
def incident(make_incident: MakeIncident, sam: User) -> Incident:
    """Event 2 is a note of sam's, event 3 a change a machine saw."""
    made = make_incident()
    record(incident_id=made.pk, kind=Kind.NOTE, title="Pool is full", body="**50**", actor=sam)
    record(incident_id=made.pk, kind=Kind.CHANGE, title="cart 1.4 rolled out", source="cluster")
    return made


def panel(incident: Incident) -> str:
    incident.refresh_from_db()
    return live.render(live.panels(["timeline"])[0], incident, oob=False)


def act(page: Client, incident: Incident, seq: int, name: str, **fields: str) -> int:
    answer = page.post(f"/incidents/{incident.pk}/events/{seq}/{name}", fields, **HTMX)
    return answer.status_code


def test_every_kind_has_one_group_and_a_name() -> None:
    listed = [kind for kinds in GROUPS.values() for kind in kinds]

    assert sorted(listed) == sorted(Kind)
    assert (named("slo_breach"), named("metric_spike")) == ("SLO breach", "Metric spike")
    assert meant(["impact", "note", "nonsense"]) == {
        "slo_breach",
        "slo_recovered",
        "impact",
        "note",
    }


def test_correction_strikes_through_and_both_stay(page: Client, incident: Incident) -> None:
    answer = act(page, incident, 2, "correction", text="Pool was half full\n\nI misread it.")

    html = panel(incident)
    correction = incident.timeline.get(kind=Kind.CORRECTION)
    assert (answer, correction.corrects, correction.seq) == (200, incident.timeline.get(seq=2), 4)
    assert "<s>Pool is full</s>" in html
    assert '<a href="#event-4">Corrected by sam</a>: Pool was half full' in html
    assert '<a href="#event-2">corrects event 2</a>' in html
    assert verify(incident).ok


def test_link_to_an_event_is_shown_on_both(page: Client, incident: Incident) -> None:
    answer = act(page, incident, 2, "link", to="3", note="That did it")

    html = panel(incident)
    event = incident.timeline.get(kind=Kind.LINK)
    assert (answer, event.title, event.body) == (
        200,
        "sam linked event 2 to event 3",
        "That did it",
    )
    assert '<a class="event-link" href="#event-3">to event 3</a>' in html
    assert '<a class="event-link" href="#event-2">from event 2</a>' in html


def test_link_to_an_address_leads_outside(page: Client, incident: Incident) -> None:
    act(page, incident, 2, "link", to="https://wiki.example.com/pools?a=1&b=2")

    assert (
        '<a class="event-link" href="https://wiki.example.com/pools?a=1&amp;b=2" target="_blank" '
        'rel="noopener noreferrer nofollow">wiki.example.com/pools?a=1&amp;b=2</a>'
    ) in panel(incident)


@pytest.mark.parametrize(
    "to", ["2", "99", "javascript:alert(1)", "data:text/html,x", "ftp://a.example.com/", "x", ""]
)
def test_link_to_nothing_that_is_one_is_refused(page: Client, incident: Incident, to: str) -> None:
    assert act(page, incident, 2, "link", to=to) == 400
    assert not incident.timeline.filter(kind=Kind.LINK).exists()


def test_sealed_timeline_takes_pins_and_nothing_else(page: Client, incident: Incident) -> None:
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    answers = [
        act(page, incident, 2, "correction", text="x"),
        act(page, incident, 2, "link", to="3"),
        act(page, incident, 2, "pin"),
    ]

    assert answers == [409, 409, 200]
    assert verify(incident).ok


@pytest.mark.parametrize("shown", ["timeline?kind=note", "events/2"])
def test_act_on_a_page_without_panels_loads_it_again(
    page: Client, incident: Incident, shown: str
) -> None:
    answer = page.post(
        f"/incidents/{incident.pk}/events/2/pin",
        **HTMX,
        HTTP_HX_CURRENT_URL=f"http://testserver/incidents/{incident.reference}/{shown}",
    )

    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (204, "true", b"")


def test_pin_is_on_top_until_it_is_taken_off(page: Client, incident: Incident) -> None:
    act(page, incident, 2, "pin")
    act(page, incident, 2, "pin")
    pinned = panel(incident)

    act(page, incident, 2, "unpin")
    act(page, incident, 2, "unpin")
    unpinned = panel(incident)

    assert '<a href="#event-2">Pool is full</a><span class="muted">pinned by sam' in pinned
    assert "timeline-pins" not in unpinned
    assert PinnedEvent.objects.get().unpinned_by == User.objects.get(username="sam")


def test_pins_of_an_earlier_moment_are_those_of_then(incident: Incident, sam: User) -> None:
    event = incident.timeline.get(seq=2)
    events = TimelineEvent.objects.filter(incident=incident)
    made = pins.pin(event, sam)
    pins.unpin(event, sam)
    made.refresh_from_db()

    assert pins.of(events) == []
    assert pins.of(events, made.at) == [made]
    assert pins.of(events, incident.created_at) == []
    assert pins.of(events, made.unpinned_at) == []


def test_pin_of_a_merged_incidents_event_shows_on_its_survivor(
    page: Client, incident: Incident, make_incident: MakeIncident
) -> None:
    survivor = make_incident("Other")
    merging.merge(source_id=incident.pk, target_id=survivor.pk, actor=None)

    act(page, incident, 2, "pin")

    assert f'<a href="#event-{incident.reference}-2">Pool is full</a>' in panel(survivor)


def test_api_pins_links_and_filters(api: APIClient, incident: Incident) -> None:
    base = f"/api/incidents/{incident.reference}/timeline"

    pinned = api.post(f"{base}/2/pin")
    linked = api.post(f"{base}/2/links", {"to": "3"}, format="json")
    refused = api.post(f"{base}/2/links", {"to": "77"}, format="json")
    missing = api.post(f"{base}/77/pin")

    assert (pinned.status_code, pinned.json()["pinned"]) == (200, True)
    assert (linked.status_code, linked.json()["data"]) == (201, {"event": 2, "to_event": 3})
    assert (refused.status_code, refused.json()["errors"]) == (
        400,
        {"to": ["The timeline has no event 77."]},
    )
    assert missing.status_code == 404
    assert [row["pinned"] for row in api.get(base).json()] == [False, True, False, False]
    assert api.delete(f"{base}/2/pin").json()["pinned"] is False
    assert [row["seq"] for row in api.get(f"{base}?kind=note&kind=link").json()] == [2, 4]
    assert [row["seq"] for row in api.get(f"{base}?kind=evidence").json()] == [3]
    assert [row["seq"] for row in api.get(f"{base}?source=cluster&union=true").json()] == [3]
    assert api.get(f"{base}?kind=nonsense").status_code == 400


def test_event_is_looked_at_alone_and_in_the_dialog(page: Client, incident: Incident) -> None:
    act(page, incident, 2, "correction", text="Half full")
    address = f"/incidents/{incident.reference}/events/2"

    alone, dialog = page.get(address), page.get(address, **HTMX)

    event = incident.timeline.get(seq=2)
    for html in (alone.content.decode(), dialog.content.decode()):
        assert event.digest in html
        assert f"/incidents/{incident.reference}/timeline?event=2#event-2" in html
        assert "<strong>Corrected by event 4</strong>" in html
    assert ("<html" in alone.content.decode(), "<html" in dialog.content.decode()) == (True, False)
    assert page.get(f"/incidents/{incident.reference}/events/99").status_code == 404


def test_check_says_intact_with_the_digest(page: Client, incident: Incident) -> None:
    html = page.get(f"/incidents/{incident.reference}/timeline/verify").content.decode()

    assert "<strong>Intact.</strong> All 3 events" in html
    assert incident.timeline.get(seq=3).digest in html


def seqs(page: Client, incident: Incident, query: str = "") -> list[int]:
    answer = page.get(f"/incidents/{incident.reference}/timeline{query}")
    return [one.event.seq for one in answer.context["events"]]


def test_whole_timeline_is_filtered_by_kind_group_and_source(
    page: Client, incident: Incident
) -> None:
    assert seqs(page, incident) == [1, 2, 3]
    assert seqs(page, incident, "?kind=note") == [2]
    assert seqs(page, incident, "?kind=evidence") == [3]
    assert seqs(page, incident, "?source=cluster") == [3]
    assert seqs(page, incident, "?kind=note&source=cluster") == []
    assert seqs(page, incident, "?kind=nonsense") == []


def test_whole_timeline_is_paged_both_ways(page: Client, incident: Incident) -> None:
    record_many(
        incident_id=incident.pk, entries=[Entry(Kind.NOTE, f"n {n}") for n in range(2 * PAGE)]
    )
    last, total = incident.timeline.get(seq=PAGE), incident.timeline.count()

    first = seqs(page, incident)
    second = seqs(page, incident, f"?after={last.pk}")
    before = seqs(page, incident, f"?before={incident.timeline.get(seq=PAGE + 2).pk}")

    assert first == list(range(1, PAGE + 1))
    assert second == list(range(PAGE + 1, 2 * PAGE + 1))
    assert before == list(range(2, PAGE + 2))
    assert seqs(page, incident, f"?event={total}")[-1] == total
    assert seqs(page, incident, "?event=100")[0] == 60
    assert page.get(f"/incidents/{incident.reference}/timeline?event=9999").status_code == 404
    assert page.get(f"/incidents/{incident.reference}/timeline?after=x").status_code == 404


def test_pin_of_an_old_event_leads_to_the_whole_timeline(incident: Incident, sam: User) -> None:
    event = incident.timeline.get(seq=2)
    pins.pin(event, sam)
    record_many(
        incident_id=incident.pk, entries=[Entry(Kind.NOTE, f"n {n}") for n in range(PAGE + 1)]
    )

    there = f"/incidents/{incident.reference}/timeline"
    html = panel(incident)

    assert f'<a href="{there}?event={event.pk}#event-2">Pool is full</a>' in html
    assert f'href="{there}">4 earlier events</a>' in html


@pytest.mark.parametrize("name", ["correction", "link", "pin", "unpin"])
def test_viewer_may_look_and_not_act(
    client: Client, incident: Incident, make_user: Callable[..., User], name: str
) -> None:
    client.force_login(make_user("vic", role="viewer"))

    assert act(client, incident, 2, name, text="x", to="3") == 403
    assert seqs(client, incident) == [1, 2, 3]
