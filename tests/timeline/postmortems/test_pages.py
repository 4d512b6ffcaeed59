from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.timeline.postmortems.conftest import Drafted, MakeIncident, MakeUser
from timeline.postmortems.models import Postmortem, PostmortemTemplate
from timeline.postmortems.templates import BUILT_IN


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def address(postmortem: Postmortem, rest: str = "") -> str:
    return f"/incidents/{postmortem.incident.reference}/postmortem{rest}"


def test_page_shows_each_section_with_its_links(page: Client, drafted: Drafted) -> None:
    postmortem = drafted()

    shown = page.get(address(postmortem)).content.decode()

    assert f'href="/incidents/{postmortem.incident.reference}#event-1"' in shown
    assert [title for title in (o.title for o in BUILT_IN) if title not in shown] == []


def test_page_of_an_open_incident_says_when_it_comes(
    page: Client, make_incident: MakeIncident
) -> None:
    shown = page.get(f"/incidents/{make_incident().reference}/postmortem").content.decode()

    assert "drafted from the sealed timeline when it is resolved" in shown


def test_published_page_offers_no_editing_and_shows_the_digest(
    page: Client, drafted: Drafted, settings: object
) -> None:
    postmortem = drafted()
    settings.POSTMORTEM_REQUIRES_APPROVAL = False  # type: ignore[attr-defined]
    page.post(address(postmortem, "/publish"))
    postmortem.refresh_from_db()

    shown = page.get(address(postmortem)).content.decode()

    assert postmortem.digest in shown
    assert ("data-writes" in shown, "The text is not what was published" in shown) == (False, False)


def test_text_changed_behind_the_product_is_told(page: Client, drafted: Drafted) -> None:
    postmortem = drafted()
    Postmortem.objects.update(state="published", markdown="# Other", digest="0" * 64)

    assert "The text is not what was published" in page.get(address(postmortem)).content.decode()


def test_newer_draft_is_shown_as_a_diff_and_taken(page: Client, drafted: Drafted) -> None:
    postmortem = drafted()
    postmortem.sections.filter(name="impact").update(
        text="Mine.", draft_base="Old.", drafted="Newer.", version=2
    )

    shown = page.get(address(postmortem)).content.decode()
    page.post(address(postmortem, "/take-draft"), {"section": "impact", "version": "2"})

    assert "A newer draft is there" in shown
    assert postmortem.sections.get(name="impact").shown == "Newer."


def test_refusals_are_told_on_the_page(page: Client, drafted: Drafted) -> None:
    response = page.post(address(drafted(), "/publish"), follow=True)

    assert "somebody else approves it first" in response.content.decode()


def test_action_item_is_added_left_out_and_made_a_task(page: Client, drafted: Drafted) -> None:
    postmortem = drafted()
    page.post(address(postmortem, "/add-action"), {"title": "Test the fail-over"})
    action = postmortem.actions.get(title="Test the fail-over")

    page.post(address(postmortem, "/drop"), {"action": str(action.pk)})
    page.post(address(postmortem, "/restore"), {"action": str(action.pk)})
    page.post(address(postmortem, "/task"), {"action": str(action.pk)})

    action.refresh_from_db()
    assert (action.dropped, action.task is not None) == (False, True)


def test_list_says_when_nothing_fits(page: Client, drafted: Drafted) -> None:
    drafted()

    assert "None fits" in page.get("/postmortems?q=nothing-like-it").content.decode()
    assert page.get("/postmortems?state=lost").status_code == 404


def test_new_template_begins_with_the_built_in_sections(
    client: Client, make_user: MakeUser, db: None
) -> None:
    client.force_login(make_user("root", "admin"))
    form = client.get("/admin/timeline/postmortemtemplate/add/").context
    formset = form["inline_admin_formsets"][0].formset
    data = {"name": "Ours", "enabled": "on", "severity": "", "service": ""}
    data |= {
        f"sections-{key}": str(value) for key, value in formset.management_form.initial.items()
    }
    for one in formset.forms:
        data |= {f"{one.prefix}-{name}": str(value) for name, value in one.initial.items()}

    response = client.post("/admin/timeline/postmortemtemplate/add/", data)

    made = PostmortemTemplate.objects.get()
    assert response.status_code == 302
    assert [(s.name, s.title) for s in made.sections.all()] == [(o.name, o.title) for o in BUILT_IN]
