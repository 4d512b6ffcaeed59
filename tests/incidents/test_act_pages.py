"""The dialogs of the incident page: as things stand when opened, refused in words, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from incidents import edits, lifecycle, suggestions
from incidents.acts.pages import ACTS
from incidents.followup import add_task
from incidents.models import Incident
from incidents.people import roles
from tests.incidents.conftest import MakeIncident, MakeService, make_person

HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def path(incident: Incident, name: str) -> str:
    return f"/incidents/{incident.pk}/acts/{name}"


def send(page: Client, incident: Incident, name: str, **data: Any) -> Any:
    return page.post(path(incident, name), {"version": incident.version, **data}, **HTMX)


def initial(response: Any) -> dict[str, Any]:
    """What an untouched form sends: each field and its hidden initial value."""
    form = response.context["form"]
    data: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        text = "" if value is None else bound.field.widget.format_value(value)
        text = text[0] if isinstance(text, list) else text
        data[bound.html_name] = "" if text is None else text
        if bound.field.show_hidden_initial:
            data[bound.html_initial_name] = "" if value is None else str(value)
    return data


@pytest.mark.parametrize("name", sorted(ACTS))
def test_every_dialog_opens_for_responders_only(
    page: Client, make_incident: MakeIncident, name: str
) -> None:
    made = make_incident()
    viewer = Client()
    viewer.force_login(make_person("vera", Role.VIEWER))

    opened, refused = page.get(path(made, name)), viewer.get(path(made, name))

    assert (opened.status_code, refused.status_code) == (200, 403)
    assert b'name="version" value="1"' in opened.content


def test_an_unknown_dialog_is_not_there(page: Client, make_incident: MakeIncident) -> None:
    assert page.get(path(make_incident(), "dance")).status_code == 404


@pytest.fixture
def suggested() -> Iterator[str]:
    text = "checkout: pool too small"
    suggestions._root_cause.insert(0, lambda incident: text)
    yield text
    suggestions._root_cause.pop(0)


def test_resolving_starts_from_the_confirmed_cause(
    page: Client, make_incident: MakeIncident, suggested: str
) -> None:
    made = make_incident()

    form = page.get(path(made, "resolve")).context["form"]
    response = send(page, made, "resolve", root_cause=suggested, resolution="**Rolled** back")

    made.refresh_from_db()
    assert form["root_cause"].value() == suggested
    assert (made.status, made.root_cause) == ("resolved", suggested)
    assert b"<strong>Rolled</strong> back" in response.content


def test_a_form_that_comes_too_late_says_who_was_faster(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident()
    kim = make_person("kim", Role.RESPONDER)
    edits.edit(incident_id=made.pk, actor=kim, changes={"severity": "low"})

    late = send(page, made, "mitigate", reason="Failed over")
    again = page.post(
        path(made, "mitigate"),
        {"version": late.json()["version"], "reason": "Failed over"},
        **HTMX,
    )

    assert (late.status_code, late.json()["detail"]) == (
        412,
        "INC-1 was changed meanwhile by kim: severity from high to low. "
        "Look again; what you typed is still here.",
    )
    assert again.status_code == 200


def test_a_button_of_an_older_page_is_refused(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()
    kim = make_person("kim", Role.RESPONDER)
    lifecycle.acknowledge(incident_id=made.pk, actor=kim)

    response = page.post(f"/incidents/{made.pk}/acknowledge", {"version": 1}, **HTMX)

    assert response.status_code == 412
    assert "changed meanwhile by kim" in response.json()["detail"]


def test_close_as_a_drill_with_a_reason(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()

    without = send(page, made, "close", closed_as="drill")
    response = send(page, made, "close", closed_as="drill", reason="Game day.")

    made.refresh_from_db()
    assert without.status_code == 400
    assert (response.status_code, made.closed_as) == (200, "drill")


def test_close_as_a_duplicate_leads_to_the_other(page: Client, make_incident: MakeIncident) -> None:
    make_incident()
    double = make_incident("Cart fails")

    unknown = send(page, double, "close", closed_as="duplicate", duplicate_of="INC-99")
    response = send(page, double, "close", closed_as="duplicate", duplicate_of="INC-1")

    assert (unknown.status_code, unknown.json()["detail"]) == (
        400,
        "Duplicate of: There is no incident 'INC-99'.",
    )
    assert (response.status_code, "incident-moved" in response["HX-Trigger"]) == (204, True)


def test_times_are_corrected_in_the_zone_of_the_person(
    page: Client, sam: User, make_incident: MakeIncident
) -> None:
    sam.time_zone = "Asia/Tokyo"
    sam.save()
    made = make_incident()
    form = page.get(path(made, "times"))
    earlier = (made.started_at - timedelta(minutes=10)).replace(microsecond=0)
    local = (earlier + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S")

    data = {**initial(form), "started_at": local, "reason": "As the graphs show."}
    response = page.post(path(made, "times"), data, **HTMX)

    after = Incident.objects.get(pk=made.pk)
    assert response.status_code == 200
    assert (after.started_at, after.detected_at) == (earlier, made.detected_at)


def test_an_edit_sends_only_what_was_changed(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()
    data = initial(page.get(path(made, "edit")))
    edits.edit(incident_id=made.pk, actor=None, changes={"severity": "low"})

    response = page.post(path(made, "edit"), {**data, "version": 2, "title": "Other"}, **HTMX)

    after = Incident.objects.get(pk=made.pk)
    assert response.status_code == 200
    assert (after.title, after.severity) == ("Other", "low")


def test_services_are_added_removed_and_weighed(
    page: Client, make_incident: MakeIncident, make_service: MakeService
) -> None:
    checkout, cart, redis = (make_service(slug) for slug in ("checkout", "cart", "redis"))
    made = make_incident(services=[checkout, cart])
    data = initial(page.get(path(made, "services")))

    changes = {"checkout": "removed", "cart": "primary", "add": redis.pk, "add_impact": "tertiary"}
    response = page.post(path(made, "services"), {**data, **changes}, **HTMX)

    levels = {row.service.slug: row.impact for row in made.affected.all()}
    assert response.status_code == 200
    assert levels == {"cart": "primary", "redis": "tertiary"}


def test_command_is_taken_and_laid_down(
    page: Client, sam: User, make_incident: MakeIncident
) -> None:
    made = make_incident()

    taken = page.post(f"/incidents/{made.pk}/command", **HTMX)
    (row,) = roles.held(made)
    ended = page.post(f"/incidents/{made.pk}/roles/{row.pk}/end", **HTMX)

    assert (row.role, row.user) == ("commander", sam)
    assert (taken.status_code, ended.status_code, roles.held(made)) == (200, 200, [])


def test_a_task_is_added_moved_and_edited(
    page: Client, sam: User, make_incident: MakeIncident
) -> None:
    made = make_incident()
    new = f"/incidents/{made.pk}/tasks/new"

    page.get(new)
    added = page.post(new, {"title": "Raise the limit", "owner": "sam"}, **HTMX)
    task = made.tasks.get()
    begun = page.post(f"/tasks/{task.pk}/in_progress", {"version": 1}, **HTMX)
    stale = page.post(f"/tasks/{task.pk}/done", {"version": 1}, **HTMX)
    data = initial(page.get(f"/tasks/{task.pk}/edit"))
    edited = page.post(f"/tasks/{task.pk}/edit", {**data, "owner": ""}, **HTMX)

    task.refresh_from_db()
    statuses = [answer.status_code for answer in (added, begun, stale, edited)]
    assert statuses == [200, 200, 412, 200]
    assert (task.state, task.owner, task.version) == ("in_progress", None, 3)


def test_the_page_of_tasks_shows_ones_own_unasked(
    page: Client, sam: User, make_incident: MakeIncident
) -> None:
    made = make_incident()
    for title, owner, state in (
        ("mine", sam, "open"),
        ("done", sam, "done"),
        ("nobody's", None, "open"),
    ):
        add_task(incident_id=made.pk, title=title, actor=sam, owner=owner, state=state)

    found = {
        query: [one.title for one in page.get(f"/tasks{query}").context["tasks"]]
        for query in ("", "?owner=", "?owner=nobody", "?state=all", "?owner=&q=NOBODY")
    }

    assert found == {
        "": ["mine"],
        "?owner=": ["nobody's", "mine"],
        "?owner=nobody": ["nobody's"],
        "?state=all": ["mine", "done"],
        "?owner=&q=NOBODY": ["nobody's"],
    }


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_tasks_takes_the_same_queries_however_many(
    page: Client,
    sam: User,
    make_incident: MakeIncident,
    django_assert_num_queries: Any,
    rows: int,
) -> None:
    for n in range(rows):
        made = make_incident(f"Incident {n}")
        add_task(incident_id=made.pk, title=f"Task {n}", actor=sam, owner=sam)

    with django_assert_num_queries(3):
        page.get("/tasks")


def test_a_bad_filter_of_tasks_is_named(page: Client) -> None:
    response = page.get("/tasks?state=asleep")

    assert (response.status_code, list(response.context["form"].errors)) == (400, ["state"])


def test_archived_incidents_leave_the_board_and_are_found(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident("Checkout fails")
    make_incident("Cart fails")
    lifecycle.resolve(incident_id=made.pk, actor=None)
    made.refresh_from_db()
    send(page, made, "archive")

    found = {
        query: [row.title for row in page.get(f"/{query}").context["page"].incidents]
        for query in ("", "?status=archived", "?status=resolved", "?q=checkout")
    }

    assert found == {
        "": ["Cart fails"],
        "?status=archived": ["Checkout fails"],
        "?status=resolved": ["Checkout fails"],
        "?q=checkout": ["Checkout fails"],
    }
