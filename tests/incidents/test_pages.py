from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from incidents import board, lifecycle, live
from incidents.merges import merging
from incidents.models import Incident, Severity, Status
from tests.incidents.conftest import MakeIncident, MakeService, make_person

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    client = Client()
    client.force_login(make_person("vera", Role.VIEWER))
    return client


def titles(response: Any) -> list[str]:
    return [incident.title for incident in response.context["page"].incidents]


def templates(response: Any) -> set[str]:
    return {template.name for template in response.templates}


def test_board_sends_strangers_to_the_login(client: Client, db: None) -> None:
    response = client.get("/?status=open")

    assert (response.status_code, response.url) == (302, "/login?next=/%3Fstatus%3Dopen")


def test_board_lists_unresolved_first_then_by_severity(
    page: Client, make_incident: MakeIncident
) -> None:
    resolved = make_incident("done", severity="critical")
    lifecycle.resolve(incident_id=resolved.pk, actor=None)
    make_incident("small", severity="low")
    make_incident("big", severity="critical")

    response = page.get("/")

    assert titles(response) == ["big", "small", "done"]


def test_board_answers_htmx_with_the_list_alone(page: Client, make_incident: MakeIncident) -> None:
    make_incident()

    whole, fragment = page.get("/"), page.get("/", **HTMX)

    assert ("base.html" in templates(whole), "base.html" in templates(fragment)) == (True, False)
    assert fragment.content.lstrip().startswith(b'<section id="board"')
    assert "HX-Request" in fragment["Vary"]


def test_board_answers_a_history_restore_with_the_whole_page(page: Client) -> None:
    response = page.get("/", **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")

    assert "base.html" in templates(response)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=resolved", ["done"]),
        ("status=active", ["slow cart", "checkout fails"]),
        ("severity=low", ["checkout fails"]),
        ("service=cart", ["slow cart"]),
        ("q=SLOW", ["slow cart"]),
        ("q=INC-1", ["checkout fails"]),
        ("q=nothing+like+it", []),
    ],
)
def test_board_filters_by_query_string(
    page: Client,
    make_incident: MakeIncident,
    make_service: MakeService,
    query: str,
    expected: list[str],
) -> None:
    make_incident("checkout fails", severity="low")
    make_incident("slow cart", services=[make_service("cart")])
    done = make_incident("done", severity="high")
    lifecycle.resolve(incident_id=done.pk, actor=None)

    response = page.get(f"/?{query}")

    assert titles(response) == expected


@pytest.mark.parametrize(
    "query",
    ["severity=awful", "older=1", "older=0_1_yesterday_x", "older=9_9_2026-01-01_" + "a" * 32],
)
def test_board_refuses_a_filter_it_does_not_know(page: Client, query: str) -> None:
    response = page.get(f"/?{query}")

    assert response.status_code == 400
    assert list(response.context["form"].errors) == [query.partition("=")[0]]


def test_board_pages_by_keyset_through_every_incident_once(
    page: Client, make_incident: MakeIncident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "PAGE_SIZE", 3)
    now = timezone.now()
    for n in range(8):
        severity = list(Severity)[n % 3]
        made = make_incident(f"number {n}", severity=severity, started_at=now - timedelta(hours=n))
        if n in (2, 5):
            lifecycle.resolve(incident_id=made.pk, actor=None)

    seen, older = [], ""
    while True:
        response = page.get("/", {"older": older} if older else {})
        seen += titles(response)
        older = response.context["page"].older
        if not older:
            break

    assert seen == [i.title for i in Incident.objects.on_board()]
    assert len(seen) == 8


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("path", ["/", "/services"])
def test_lists_need_as_many_queries_for_three_rows_as_for_one(
    page: Client,
    make_incident: MakeIncident,
    make_service: MakeService,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
    count: int,
) -> None:
    for n in range(count):
        make_incident(f"number {n}", services=[make_service(f"a{n}"), make_service(f"b{n}")])

    with django_assert_num_queries({"/": 8, "/services": 4}[path]):
        response = page.get(path)

    assert response.status_code == 200


def test_board_shows_confidence_as_number_and_word(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident()
    Incident.objects.filter(pk=made.pk).update(
        top_cause="checkout: bad deploy", top_cause_confidence=0.874, analysis_status="done"
    )

    response = page.get("/")

    assert '<b>87 %</b><span class="band band-medium">medium</span>' in response.content.decode()


def test_incident_page_is_found_by_number_and_by_id(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident("Checkout fails")

    by_number = page.get("/incidents/INC-1")
    by_id = page.get(f"/incidents/{made.pk}")

    assert (by_number.status_code, by_id.status_code) == (200, 200)
    for panel in ("header", "causes", "evidence", "timeline", "services", "sources"):
        assert by_number.content.decode().count(f'id="{panel}"') == 1
    assert "hx-swap-oob" not in by_number.content.decode()


@pytest.mark.parametrize("reference", ["INC-9", "no-such-thing"])
def test_incident_page_says_not_found_without_the_database(page: Client, reference: str) -> None:
    response = page.get(f"/incidents/{reference}")

    assert response.status_code == 404
    assert "404.html" in templates(response)


def test_incident_page_leads_from_a_merged_one_to_its_survivor(
    page: Client, make_incident: MakeIncident
) -> None:
    survivor, merged = make_incident("one"), make_incident("two")
    merging.merge(source_id=merged.pk, target_id=survivor.pk, actor=None)

    response = page.get(f"/incidents/{merged.reference}", follow=True)

    assert response.redirect_chain == [(survivor.get_absolute_url(), 302)]
    assert [str(m) for m in response.context["messages"]] == [
        'INC-2 was merged into INC-1. <a href="/incidents/INC-2?merged=1">See INC-2 as it was</a>'
    ]


def test_poll_answers_nothing_while_the_revision_stands(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident()
    made.refresh_from_db()

    current = page.get(f"/incidents/{made.pk}/live?revision={made.revision}", **HTMX)
    stale = page.get(f"/incidents/{made.pk}/live?revision={made.revision - 1}", **HTMX)

    assert (current.status_code, current.content) == (204, b"")
    swapped = stale.content.decode().count('hx-swap-oob="true"')
    assert swapped == len(live.panels()) + 1  # and the poll
    assert f"revision={made.revision}" in stale.content.decode()


def test_poll_of_a_merged_incident_leads_to_its_survivor(
    page: Client, make_incident: MakeIncident
) -> None:
    survivor, merged = make_incident("one"), make_incident("two")
    merging.merge(source_id=merged.pk, target_id=survivor.pk, actor=None)

    response = page.get(f"/incidents/{merged.pk}/live?revision=1", **HTMX)

    assert response.status_code == 204
    assert json.loads(response["HX-Trigger"]) == {
        "incident-moved": {
            "moved": merged.get_absolute_url(),
            "words": f"{merged.reference} was merged into {survivor.reference}.",
        }
    }


def test_buttons_take_an_incident_through_its_life(
    page: Client, sam: User, make_incident: MakeIncident
) -> None:
    made = make_incident()
    steps = [
        ("acknowledge", {}, Status.INVESTIGATING),
        ("mitigate", {}, Status.MITIGATED),
        ("resolve", {"root_cause": "pool too small", "resolution": ""}, Status.RESOLVED),
        ("reopen", {}, Status.INVESTIGATING),
    ]

    for name, data, expected in steps:
        response = page.post(f"/incidents/{made.pk}/{name}", data, **HTMX)
        made.refresh_from_db()
        assert (response.status_code, made.status) == (200, expected)

    assert made.root_cause == "pool too small"
    assert made.status_changes.filter(actor=sam).count() == 4


def test_button_out_of_turn_is_refused_in_words(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()

    response = page.post(f"/incidents/{made.pk}/reopen", **HTMX)

    assert (response.status_code, response["Content-Type"]) == (409, "application/problem+json")
    assert response.json()["type"] == "transition-refused"
    assert response.json()["allowed"] == ["investigating", "mitigated", "resolved"]


@pytest.mark.parametrize(
    "name", ["acknowledge", "mitigate", "resolve", "reopen", "analyse", "notes"]
)
def test_viewers_press_no_buttons(viewer: Client, make_incident: MakeIncident, name: str) -> None:
    made = make_incident()

    response = viewer.post(f"/incidents/{made.pk}/{name}", {"text": "hello"}, **HTMX)

    made.refresh_from_db()
    assert (response.status_code, made.status) == (403, Status.OPEN)


@pytest.mark.parametrize("name", ["acknowledge", "resolve", "analyse", "notes"])
def test_buttons_take_post_only(page: Client, make_incident: MakeIncident, name: str) -> None:
    made = make_incident()

    assert page.get(f"/incidents/{made.pk}/{name}").status_code == 405


def test_broadcast_panels_name_no_reader(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()

    fragment = page.get(f"/incidents/{made.pk}/live?revision=0", **HTMX).content.decode()

    assert "csrf" not in fragment
    assert "sam" not in fragment


def test_pages_carry_no_inline_code(page: Client, make_incident: MakeIncident) -> None:
    make_incident()

    for path in ("/", "/incidents/INC-1", "/incidents/new", "/services", "/services/checkout"):
        html = page.get(path).content.decode()
        assert " style=" not in html
        assert "<style" not in html
        assert "hx-on" not in html
        assert html.count("<script") == html.count("<script src=")


def test_new_incident_opens_and_leads_to_its_page(
    page: Client, sam: User, make_service: MakeService
) -> None:
    checkout, cart = make_service("checkout"), make_service("cart")
    form = {"title": "Payments fail", "severity": "high", "service": str(checkout.pk)}

    response = page.post("/incidents/new", form | {"others": [str(cart.pk), str(checkout.pk)]})

    made = Incident.objects.get()
    assert (response.status_code, response.url) == (302, "/incidents/INC-1")
    assert made.created_by == sam
    assert [(a.service.slug, a.impact) for a in made.affected.all()] == [
        ("checkout", "primary"),
        ("cart", "secondary"),
    ]


def test_new_incident_keeps_what_was_typed_and_names_the_field(
    page: Client, make_service: MakeService
) -> None:
    make_service()

    response = page.post("/incidents/new", {"title": "Payments fail", "severity": "awful"})

    assert sorted(response.context["form"].errors) == ["service", "severity"]
    assert 'value="Payments fail"' in response.content.decode()


def test_new_incident_like_an_open_one_asks_before_it_opens_another(
    page: Client, make_service: MakeService, make_incident: MakeIncident
) -> None:
    twin = make_incident("Payments fail", services=[make_service("payment")])
    form = {"title": "Payments fail", "severity": "high"}
    form["service"] = str(twin.services.get().pk)

    asked = page.post("/incidents/new", form)
    opened = page.post("/incidents/new", form | {"allow_duplicate": "on"})

    assert asked.context["duplicate"].incident == twin
    assert 'href="/incidents/INC-1"' in asked.content.decode()
    newcomer = Incident.objects.exclude(pk=twin.pk).get()
    assert (opened.status_code, opened.url) == (302, newcomer.get_absolute_url())


def test_viewers_open_no_incident(viewer: Client) -> None:
    assert viewer.get("/incidents/new").status_code == 403


def test_service_page_shows_both_directions_and_its_incidents(
    page: Client, make_service: MakeService, make_incident: MakeIncident
) -> None:
    checkout, cart, front = (make_service(slug) for slug in ("checkout", "cart", "front"))
    checkout.calls.create(callee=cart)
    front.calls.create(callee=checkout)
    made = make_incident(services=[checkout])

    response = page.get("/services/checkout")

    shown = response.context["service"]
    assert [edge.callee.slug for edge in shown.calls.all()] == ["cart"]
    assert [edge.caller.slug for edge in shown.called_by.all()] == ["front"]
    assert list(response.context["incidents"]) == [made]


def test_service_page_picks_the_namesake_of_the_environment(
    page: Client, make_service: MakeService
) -> None:
    make_service("cart", environment="staging")
    production = make_service("cart")

    default, asked = page.get("/services/cart"), page.get("/services/cart?environment=staging")

    assert default.context["service"] == production
    assert asked.context["service"].environment == "staging"
    assert page.get("/services/none").status_code == 404
