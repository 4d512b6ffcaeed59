from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from incidents import lifecycle, live
from incidents.models import Incident
from timeline.images.models import NoteImage
from timeline.models import Kind
from timeline.verify import verify

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


@pytest.fixture(autouse=True)
def directory(settings: object, tmp_path: Path) -> Path:
    settings.NOTE_IMAGES_DIR = tmp_path / "images"  # type: ignore[attr-defined]
    return tmp_path / "images"


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    return make_incident()


@pytest.fixture
def page(client: Client, make_user: Callable[..., User]) -> Client:
    client.force_login(make_user("sam"))
    return client


def png(name: str = "graph.png") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), (9, 99, 199)).save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="text/html")


def attach(page: Client, incident: Incident, *files: SimpleUploadedFile, text: str = "") -> int:
    fields = {"text": text, "images": list(files)}
    return page.post(f"/incidents/{incident.pk}/notes", fields).status_code


def files_in(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_note_keeps_its_images_and_names_their_digests(
    page: Client, incident: Incident, directory: Path
) -> None:
    answer = attach(page, incident, png(), png("two.png"), text="See the graphs")

    note = incident.timeline.get(kind=Kind.NOTE)
    rows = list(note.images.all())
    html = live.render(live.panels(["timeline"])[0], incident, oob=False)
    assert (answer, note.title, len(rows)) == (200, "See the graphs", 2)
    assert [told["sha256"] for told in note.data["images"]] == [row.sha256 for row in rows]
    assert sorted(files_in(directory)) == sorted(row.path for row in rows)
    assert html.count("<img ") == 2
    assert verify(incident).ok


def test_images_alone_are_an_attachment(page: Client, incident: Incident) -> None:
    attach(page, incident, png("../../etc/pass\x00wd.png"))

    event = incident.timeline.get(kind=Kind.ATTACHMENT)
    assert event.title == "sam attached passwd.png"


def test_image_is_served_as_what_it_is_and_runs_nothing(page: Client, incident: Incident) -> None:
    attach(page, incident, png("x.html"))
    row = NoteImage.objects.get()

    answer = page.get(row.get_absolute_url())

    assert answer.content == row.path.read_bytes()
    assert {
        name: answer.headers[name]
        for name in (
            "Content-Type",
            "Content-Disposition",
            "X-Content-Type-Options",
            "Content-Security-Policy",
            "Cache-Control",
        )
    } == {
        "Content-Type": "image/png",
        "Content-Disposition": 'inline; filename="x.png"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'none'; img-src 'self'; sandbox",
        "Cache-Control": "private, max-age=31536000, immutable",
    }


def test_image_needs_a_session_and_its_own_incident(
    page: Client, incident: Incident, make_incident: MakeIncident
) -> None:
    attach(page, incident, png())
    row = NoteImage.objects.get()
    other = make_incident("Other")

    assert Client().get(row.get_absolute_url()).status_code == 302
    assert page.get(f"/incidents/{other.pk}/images/{row.pk}").status_code == 404


def test_what_is_no_image_refuses_the_note_and_keeps_nothing(
    page: Client, incident: Incident, directory: Path
) -> None:
    svg = SimpleUploadedFile("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")

    answer = attach(page, incident, png(), svg, text="Both")

    assert answer == 400
    assert incident.timeline.count() == 1
    assert files_in(directory) == []


def test_limits_are_settings(page: Client, incident: Incident, settings: object) -> None:
    settings.NOTE_IMAGES_MOST = 1  # type: ignore[attr-defined]
    many = attach(page, incident, png(), png())
    settings.NOTE_IMAGE_MAX_BYTES = 10  # type: ignore[attr-defined]
    large = attach(page, incident, png())
    settings.NOTE_IMAGE_MAX_BYTES = 10_000  # type: ignore[attr-defined]
    settings.NOTE_IMAGE_MAX_PIXELS = 10  # type: ignore[attr-defined]
    wide = attach(page, incident, png())

    assert (many, large, wide) == (400, 400, 400)
    assert NoteImage.objects.count() == 0


def test_sealed_timeline_takes_no_images(page: Client, incident: Incident, directory: Path) -> None:
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    assert attach(page, incident, png()) == 409
    assert not directory.exists()


def test_verify_tells_a_missing_and_a_changed_file(page: Client, incident: Incident) -> None:
    attach(page, incident, png(), text="See")
    path = NoteImage.objects.get().path

    path.write_bytes(path.read_bytes() + b"x")
    changed, shown = verify(incident), page.get(NoteImage.objects.get().get_absolute_url())
    path.unlink()
    missing = verify(incident)

    assert (changed.bad_seq, changed.reason) == (
        2,
        "its image graph.png has been changed: its file is another",
    )
    assert shown.status_code == 404
    assert (missing.bad_seq, missing.reason) == (
        2,
        "its image graph.png is missing: there is no such file",
    )


def test_verify_tells_a_lost_row(page: Client, incident: Incident) -> None:
    attach(page, incident, png(), text="See")
    NoteImage.objects.all().delete()

    assert verify(incident).reason == (
        "its image graph.png is not in the database as it was recorded"
    )


def test_api_takes_a_form_and_serves_the_file(
    incident: Incident, make_user: Callable[..., User]
) -> None:
    api = APIClient()
    api.force_authenticate(make_user("sam"))
    path = f"/api/incidents/{incident.reference}/timeline"

    made = api.post(path, {"title": "Graphs", "images": [png()]}, format="multipart")
    refused = api.post(path, {"images": [SimpleUploadedFile("a.png", b"text")]}, format="multipart")
    (image,) = made.json()["images"]

    assert (made.status_code, made.json()["kind"], image["name"]) == (201, "note", "graph.png")
    assert api.get(image["url"]).headers["Content-Type"] == "image/png"
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["images"])


def test_viewer_sees_images_and_attaches_none(
    page: Client, incident: Incident, make_user: Callable[..., User]
) -> None:
    attach(page, incident, png())
    viewer = Client()
    viewer.force_login(make_user("vic", role="viewer"))

    assert viewer.get(NoteImage.objects.get().get_absolute_url()).status_code == 200
    assert attach(viewer, incident, png()) == 403


def test_images_stand_in_the_report_and_its_markdown_names_them(
    page: Client, incident: Incident, settings: Settings
) -> None:
    settings.STUDIO_URL = "https://studio.example"
    attach(page, incident, png("pool_1.png"), text="See the graph")
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    image = NoteImage.objects.get()

    markdown = page.get(f"/api/incidents/{incident.reference}/report.md").content.decode()
    shown = page.get(f"/incidents/{incident.reference}/report").content.decode()

    assert (
        f"- Image [pool\\_1.png](<https://studio.example{image.get_absolute_url()}>), 8 x 6, "
        f"SHA-256 `{image.sha256}`"
    ) in markdown
    assert f'<img src="{image.get_absolute_url()}" alt="pool_1.png"' in shown
