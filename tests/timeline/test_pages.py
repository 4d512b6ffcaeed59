from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident
from timeline.models import Kind, TimelineEvent

MakeIncident = Callable[..., Incident]


@pytest.fixture
def page(db: None, client: Client, make_user: Callable[..., User]) -> Client:
    client.force_login(make_user("sam"))
    return client


def test_note_is_recorded_with_its_first_line_as_title(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident()

    response = page.post(f"/incidents/{made.pk}/notes", {"text": "Rolled back\n\nTo **1.4.1**."})

    note = TimelineEvent.objects.get(kind=Kind.NOTE)
    assert response.status_code == 200
    assert (note.title, note.body, str(note.actor)) == ("Rolled back", "To **1.4.1**.", "sam")
    assert "Rolled back" in response.content.decode()


def test_note_with_a_long_first_line_loses_nothing(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident()
    text = "word " * 100

    page.post(f"/incidents/{made.pk}/notes", {"text": text})

    note = TimelineEvent.objects.get(kind=Kind.NOTE)
    assert (len(note.title), note.body) == (200, text.strip())


def test_empty_note_is_refused_in_words(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()

    response = page.post(f"/incidents/{made.pk}/notes", {"text": "  "})

    assert (response.status_code, response.json()["type"]) == (400, "invalid")


def test_note_on_a_sealed_timeline_is_refused(page: Client, make_incident: MakeIncident) -> None:
    made = make_incident()
    lifecycle.resolve(incident_id=made.pk, actor=None)

    response = page.post(f"/incidents/{made.pk}/notes", {"text": "too late"})

    assert (response.status_code, response.json()["type"]) == (409, "timeline-sealed")


def test_note_form_knows_what_the_server_takes(
    page: Client, make_incident: MakeIncident, settings: Settings
) -> None:
    settings.NOTE_IMAGES_MOST = 3
    settings.NOTE_IMAGE_MAX_BYTES = 2000

    shown = page.get(make_incident().get_absolute_url()).content.decode()

    assert 'data-most-images="3" data-most-bytes="2000"' in shown
