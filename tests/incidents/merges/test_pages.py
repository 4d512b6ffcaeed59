"""Merging by hand, undoing it and deciding on proposals, on the pages."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from incidents.merges import merging
from incidents.merges.unmerging import unmerge
from incidents.models import IncidentMerge, MergeProposal
from tests.incidents.conftest import MakeIncident, MakeService, make_person

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def test_page_lists_the_most_alike_first_with_the_parts(
    page: Client, make_incident: MakeIncident, make_service: MakeService
) -> None:
    mine = make_incident("Checkout fails")
    make_incident("Disk full", services=[make_service("redis")])
    make_incident("Checkout is failing")

    response = page.get(f"/incidents/{mine.reference}/merge")

    found = [one.incident.title for one in response.context["alike"]]
    assert found == ["Checkout is failing", "Disk full"]
    html = response.content.decode()
    assert "<span>title</span> <b>" in html
    assert "<span>labels</span>" not in html  # neither has an alert


def test_page_searches(page: Client, make_incident: MakeIncident) -> None:
    mine, other = make_incident("Checkout fails"), make_incident("Disk full")

    def found(q: str) -> list[str]:
        response = page.get(f"/incidents/{mine.pk}/merge?q={q}")
        return [one.incident.title for one in response.context["alike"]]

    assert found("disk") == ["Disk full"]
    assert found(other.reference) == ["Disk full"]
    assert found("checkout") == []


def test_chosen_ones_become_part_of_this(
    page: Client, make_incident: MakeIncident, sam: User
) -> None:
    mine, *others = [make_incident(f"Incident {n}") for n in range(3)]
    body = {"others": [one.pk for one in others], "keep": "this", "reason": "One storm"}

    response = page.post(f"/incidents/{mine.reference}/merge", body)

    assert (response.status_code, response["Location"]) == (302, mine.get_absolute_url())
    merges = IncidentMerge.objects.values_list("target", "actor", "reason")
    assert list(merges) == [(mine.pk, sam.pk, "One storm")] * 2


def test_this_becomes_part_of_the_chosen_one(page: Client, make_incident: MakeIncident) -> None:
    mine, other = make_incident("A"), make_incident("B")

    response = page.post(
        f"/incidents/{mine.reference}/merge", {"others": [other.pk], "keep": "other"}
    )

    assert response["Location"] == other.get_absolute_url()
    mine.refresh_from_db()
    assert mine.merged_into == other


@pytest.mark.parametrize(
    ("chosen", "keep", "said"),
    [
        (0, "this", "Choose at least one incident."),
        (2, "other", "An incident can become part of one other only."),
        (1, "neither", "Select a valid choice."),
    ],
)
def test_page_refuses_in_words(
    page: Client, make_incident: MakeIncident, chosen: int, keep: str, said: str
) -> None:
    mine, *others = [make_incident(f"Incident {n}") for n in range(3)]
    body = {"others": [one.pk for one in others[:chosen]], "keep": keep}

    response = page.post(f"/incidents/{mine.reference}/merge", body)

    assert response.status_code == 400
    assert said in response.content.decode()
    assert not IncidentMerge.objects.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_page_takes_the_same_queries_however_many_rows(
    page: Client,
    make_incident: MakeIncident,
    django_assert_num_queries: DjangoAssertNumQueries,
    rows: int,
) -> None:
    mine, *_others = [make_incident(f"Incident {n}") for n in range(rows + 1)]

    with django_assert_num_queries(8):  # session, user, incident, others, two of what each has
        response = page.get(f"/incidents/{mine.reference}/merge")

    assert len(response.context["alike"]) == rows


def test_survivors_page_shows_what_is_part_of_it(
    page: Client, make_incident: MakeIncident, sam: User
) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam, reason="One storm")

    html = page.get(f"/incidents/{target.reference}").content.decode()

    panel = html[html.index('<section id="merges"') :].partition("</section>")[0]
    assert f'href="/incidents/{source.reference}?merged=1"' in panel
    assert "by sam" in panel
    assert "One storm" in panel
    assert f'hx-post="/incidents/{source.pk}/unmerge"' in panel


def test_survivors_page_takes_the_same_queries_however_many_were_merged(
    page: Client, make_incident: MakeIncident
) -> None:
    survivor, *sources = [make_incident(f"Incident {n}", services=[]) for n in range(4)]
    taken = []
    for source in sources:
        merging.merge(source_id=source.pk, target_id=survivor.pk, actor=None)
        with CaptureQueriesContext(connection) as queries:
            page.get(f"/incidents/{survivor.reference}")
        taken.append(len(queries))

    assert len(set(taken)) == 1


def test_page_without_merges_hides_the_panel(page: Client, make_incident: MakeIncident) -> None:
    html = page.get(f"/incidents/{make_incident().reference}").content.decode()

    head = html[html.index('<section id="merges"') :].partition(">")[0]
    assert head.endswith(" hidden")


def test_merged_incident_is_looked_at_as_it_was(page: Client, make_incident: MakeIncident) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    response = page.get(f"/incidents/{source.reference}?merged=1")

    html = response.content.decode()
    assert response.status_code == 200
    assert f'<a href="{target.get_absolute_url()}">{target.reference} B</a>' in html
    assert "ws-connect" not in html
    assert 'id="act-resolve"' not in html


def test_unmerge_button_brings_the_survivors_page_up_to_date(
    page: Client, make_incident: MakeIncident
) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    answer = page.post(f"/incidents/{source.pk}/unmerge", **HTMX)

    assert answer.context["incident"] == target
    assert page.post(f"/incidents/{source.pk}/unmerge", **HTMX).status_code == 409


def test_unmerge_on_the_sources_own_page_leads_to_it(
    page: Client, make_incident: MakeIncident
) -> None:
    source, target = make_incident("A"), make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    answer = page.post(f"/incidents/{source.pk}/unmerge")

    assert (answer.status_code, answer["Location"]) == (302, source.get_absolute_url())


def test_accepting_on_the_newer_ones_page_leads_to_the_older(
    page: Client, make_incident: MakeIncident
) -> None:
    older, newer = make_incident("A"), make_incident("B")
    pair = MergeProposal.objects.create(older=older, newer=newer, score=0.6)
    address = f"/incidents/{newer.pk}/proposals/{pair.pk}/accept"
    assert address in page.get(f"/incidents/{newer.reference}").content.decode()

    answer = page.post(address, **HTMX)

    told = json.loads(answer["HX-Trigger"])["incident-moved"]
    assert told["words"] == f"{newer.reference} was merged into {older.reference}."
    assert page.post(address, **HTMX).status_code == 409


def test_dismissing_takes_the_proposal_off_both_pages(
    page: Client, make_incident: MakeIncident
) -> None:
    older, newer = make_incident("A"), make_incident("B")
    pair = MergeProposal.objects.create(older=older, newer=newer, score=0.6)

    answer = page.post(f"/incidents/{older.pk}/proposals/{pair.pk}/dismiss", **HTMX)

    assert answer.status_code == 200
    for incident in (older, newer):
        html = page.get(f"/incidents/{incident.reference}").content.decode()
        assert "May be the same as <a" not in html
    other = make_incident("C")
    wrong = page.post(f"/incidents/{other.pk}/proposals/{pair.pk}/dismiss", **HTMX)
    assert wrong.status_code == 404


def test_viewer_may_not_merge(make_incident: MakeIncident) -> None:
    viewer = Client()
    viewer.force_login(make_person("vera", Role.VIEWER))
    a, b = make_incident("A"), make_incident("B")
    merging.merge(source_id=a.pk, target_id=b.pk, actor=None)

    answers = [
        viewer.get(f"/incidents/{b.reference}/merge"),
        viewer.post(f"/incidents/{b.reference}/merge", {}),
        viewer.post(f"/incidents/{a.pk}/unmerge"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    unmerge(source_id=a.pk, actor=None)


def test_looking_alike_is_shown_in_parts_when_opening(
    page: Client, make_incident: MakeIncident
) -> None:
    existing = make_incident("Checkout fails")
    service = existing.affected.get().service

    response = page.post(
        "/incidents/new",
        {"title": "Checkout fails", "severity": "high", "service": service.pk},
    )

    html = response.content.decode()
    assert "<span>service</span> <b>100 %</b>" in html
