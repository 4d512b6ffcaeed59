"""One incident's whole life in two people's browsers, from its alert to its published postmortem.

One test after another on one running demo without its lab: everything comes from the outside, as
it would from a team's own monitoring. Consoles and network stay clean.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ADMIN_PASSWORD
from tests.browser.life import Life

pytestmark = pytest.mark.browser
expect.set_options(timeout=90_000)
TITLE = "The nightly export does not finish"


@pytest.fixture(scope="module")
def admin(browser: Browser, life: Life) -> Iterator[Page]:
    page = life.sign_in(browser, "admin", ADMIN_PASSWORD)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def sam(browser: Browser, life: Life) -> Iterator[Page]:
    """The second pair of eyes: a responder."""
    passwords = json.loads((life.directory / "credentials.json").read_text())
    page = life.sign_in(browser, "sam", passwords["sam"])
    yield page
    page.context.close()


def graph() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (320, 120), (40, 90, 200)).save(drawn, "PNG")
    return drawn.getvalue()


def live(page: Page) -> None:
    expect(page.locator(".live-dot")).to_have_attribute("data-live", "on")


def test_source_of_alerts_is_set_up(admin: Page, life: Life) -> None:
    admin.goto(f"{life.url}/alerts/sources")
    admin.get_by_label("Name").fill("night-watch")
    admin.get_by_role("button", name="Create it and show its token").click()

    life.token = admin.locator("#token").inner_text()
    assert life.token.startswith("rst_")
    assert life.complaints == []


def test_alert_becomes_an_incident_on_a_board_that_nobody_touches(
    admin: Page, sam: Page, life: Life
) -> None:
    for page in (admin, sam):
        page.goto(life.url)
        live(page)
    alert = {
        "status": "firing",
        "labels": {"alertname": "ExportLate", "service": "checkout", "severity": "critical"},
        "annotations": {"summary": TITLE},
        "startsAt": datetime.now(UTC).isoformat(),
        "fingerprint": "5f0c1e9a77aa21d3",
    }
    answer = requests.post(
        f"{life.url}/api/intake/alertmanager",
        json={"version": "4", "status": "firing", "receiver": "studio", "alerts": [alert]},
        headers={"Authorization": f"Bearer {life.token}"},
        timeout=60,
    )
    assert answer.status_code in (200, 202), answer.text

    for page in (admin, sam):
        row = page.locator("#board tr", has_text=TITLE)
        expect(row).to_have_count(1)
        row.locator("a.incident-title").click()
        page.wait_for_url(re.compile(r"/incidents/INC-\d+$"))
        live(page)
    life.address = admin.url
    assert life.complaints == []


def test_acknowledging_by_keyboard_is_seen_by_the_other(admin: Page, sam: Page, life: Life) -> None:
    admin.locator("#act-acknowledge").focus()
    admin.keyboard.press("Enter")

    for page in (admin, sam):
        expect(page.locator("#header .status-investigating")).to_be_visible()
    expect(admin.locator("#header")).to_be_focused()  # its button is gone, the place is not
    assert life.complaints == []


def test_role_and_task_are_given_from_dialogs(admin: Page, sam: Page, life: Life) -> None:
    admin.get_by_role("button", name="Take command").click()
    expect(sam.locator("#people .role-commander")).to_be_visible()

    admin.locator("#people-give").click()
    dialog = admin.locator("#act-dialog")
    dialog.get_by_label("Role").select_option("scribe")
    dialog.get_by_label("Person").select_option("sam")
    dialog.get_by_role("button", name="Give the role").click()
    expect(dialog).to_be_hidden()
    expect(admin.locator("#people-give")).to_be_focused()
    expect(sam.locator("#people .role-scribe")).to_be_visible()

    admin.locator("#tasks-add").click()
    dialog.get_by_label("What is to be done").fill("Give the export a deadline")
    dialog.get_by_role("button", name="Add the task").click()
    expect(sam.locator("#tasks .task")).to_contain_text("Give the export a deadline")
    assert life.complaints == []


def test_image_that_would_be_refused_is_refused_before_it_is_sent(admin: Page, life: Life) -> None:
    note = admin.locator("[data-note-form]")
    images = note.locator("input[name=images]")
    images.set_input_files({"name": "dump.txt", "mimeType": "text/plain", "buffer": b"x"})
    expect(note.get_by_role("alert")).to_contain_text("dump.txt is not taken")

    huge = {"name": "huge.png", "mimeType": "image/png", "buffer": b"\x89PNG" + bytes(6_000_000)}
    images.set_input_files(huge)  # type: ignore[arg-type]
    expect(note.get_by_role("alert")).to_contain_text("huge.png has 6.0 MB")
    expect(note.locator("[data-chosen] li")).to_have_count(0)
    assert life.complaints == []


def test_note_with_an_image_reaches_the_other_who_reads_and_types(
    admin: Page, sam: Page, life: Life
) -> None:
    admin.locator("#note-text").fill("On it")
    admin.get_by_role("button", name="Add to timeline").click()
    expect(sam.locator("#timeline .event-note")).to_have_count(1)
    expect(admin.locator("#note-text")).to_have_value("")
    sam.locator("#timeline-kind").select_option("note")
    sam.locator("#note-text").fill("Looking at the queue")
    sam.keyboard.press("Home")

    admin.locator("#note-text").fill("The export waits for a lock\n\nSee the graph.")
    image = {"name": "locks.png", "mimeType": "image/png", "buffer": graph()}
    admin.locator("[data-note-form] input[name=images]").set_input_files(image)  # type: ignore[arg-type]
    admin.get_by_role("button", name="Add to timeline").click()

    picture = sam.locator("#timeline .event-note .event-images img")
    expect(picture).to_have_count(1)
    picture.scroll_into_view_if_needed()  # it is loaded when it comes into sight
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
    expect(sam.locator("#timeline .event:visible")).to_have_count(2)  # still filtered
    expect(sam.locator("[data-timeline-count]")).to_contain_text("2 of the")
    expect(sam.locator("#note-text")).to_have_value("Looking at the queue")
    expect(sam.locator("#note-text")).to_be_focused()
    assert sam.locator("#note-text").evaluate("field => field.selectionStart") == 0
    expect(admin.locator("#note-text")).to_have_value("")
    expect(admin.locator("[data-sending]")).to_be_hidden()
    assert life.complaints == []


def test_mitigating_and_resolving_seal_the_timeline(admin: Page, sam: Page, life: Life) -> None:
    admin.get_by_role("button", name="Mark mitigated").click()
    dialog = admin.locator("#act-dialog")
    dialog.get_by_label("What stopped the harm?").fill("The lock was taken away")
    dialog.get_by_role("button", name="Mark mitigated").click()
    expect(sam.locator("#header .status-mitigated")).to_be_visible()

    admin.get_by_role("button", name="Resolve", exact=True).click()
    dialog.get_by_label("Root cause").fill("A migration held a lock on the orders.")
    dialog.get_by_label("What fixed it").fill("The migration was stopped.")
    dialog.get_by_role("button", name="Resolve incident").click()
    expect(dialog).to_be_hidden()

    for page in (admin, sam):
        expect(page.locator("#header .status-resolved")).to_be_visible()
        expect(page.locator("#timeline .timeline-sealed")).to_be_visible()
    expect(admin.locator("[data-note-form]")).to_be_hidden()
    expect(sam.locator("#note-text")).to_be_visible()  # what was being written is not taken away
    assert life.complaints == []


def test_report_is_written_and_has_the_note_and_its_image(admin: Page, life: Life) -> None:
    expect(admin.locator("#record")).to_contain_text("version 1")
    admin.get_by_role("link", name="Incident report").click()

    expect(admin.locator(".paper")).to_contain_text("The export waits for a lock")
    expect(admin.locator(".paper img").first).to_be_visible()
    expect(admin.locator("#report-root")).to_have_text(re.compile(r"^[0-9a-f]{64}$"))
    assert life.complaints == []


def test_postmortem_is_written_with_a_conflict_settled_in_place(
    admin: Page, sam: Page, life: Life
) -> None:
    sam.locator("#note-text").fill("")
    for page in (admin, sam):
        page.goto(f"{life.address}/postmortem")
    mine, theirs = (page.locator("[data-section=summary]") for page in (admin, sam))
    for section in (mine, theirs):
        section.locator("[data-edits]").click()
    theirs.locator("[data-writes]").fill("Orders were not exported for an hour.")
    expect(theirs.locator("[data-saved]")).to_have_text("Saved")

    mine.locator("[data-writes]").fill("The export stood still.")
    expect(mine.locator("[data-conflict]")).to_contain_text("Changed meanwhile by sam")
    expect(mine.locator("[data-writes]")).to_have_value("The export stood still.")
    mine.get_by_role("button", name="Use theirs").click()
    expect(mine.locator("[data-writes]")).to_have_value("Orders were not exported for an hour.")
    expect(mine.locator("[data-writes]")).to_be_focused()

    mine.locator("[data-writes]").fill("No order was exported for an hour.")
    expect(mine.locator("[data-saved]")).to_have_text("Saved")
    mine.locator("[data-edits]").click()
    expect(mine.locator("[data-reads]")).to_have_text("No order was exported for an hour.")
    asked = [one for one in life.complaints if "412" in one]
    assert life.complaints == asked  # the conflict itself, and nothing else
    life.complaints.clear()


def test_postmortem_is_reviewed_by_the_other_and_published(
    admin: Page, sam: Page, life: Life
) -> None:
    admin.get_by_role("button", name="Ask for a review").click()
    admin.get_by_role("button", name="Ask", exact=True).click()
    expect(admin.locator(".paper .postmortem-in_review")).to_be_visible()

    sam.goto(f"{life.address}/postmortem")
    sam.get_by_role("button", name="Approve").click()
    dialog = sam.locator("#approve-dialog")
    dialog.get_by_label("Comment").fill("Reads well.")
    dialog.get_by_role("button", name="Approve").click()
    expect(sam.locator(".paper .postmortem-approved")).to_be_visible()

    admin.reload()
    admin.get_by_role("button", name="Publish").click()
    admin.locator("#publish-dialog").get_by_role("button", name="Publish").click()
    expect(admin.locator(".paper .postmortem-published")).to_be_visible()
    expect(admin.locator("#postmortem-digest")).to_have_text(re.compile(r"^[0-9a-f]{64}$"))
    expect(admin.locator("[data-edits]")).to_have_count(0)
    assert life.complaints == []


def test_sealed_record_is_verified_and_tells_the_whole_life(admin: Page, life: Life) -> None:
    admin.goto(life.address)
    expect(admin.locator("#record")).to_contain_text("published")
    admin.locator("#timeline-verify").click()

    expect(admin.locator("#event-dialog")).to_contain_text("Intact.")
    admin.keyboard.press("Escape")
    expect(admin.locator("#timeline-verify")).to_be_focused()
    assert life.complaints == []


def test_session_that_ended_loses_nothing_typed(admin: Page, life: Life) -> None:
    admin.get_by_role("button", name="Reopen").click()
    dialog = admin.locator("#act-dialog")
    dialog.get_by_label("Why is it reopened?").fill("The lock is back")
    other = admin.context.new_page()
    other.goto(life.url)
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url(re.compile("/login"))
    expect(admin.locator("#connection")).to_contain_text("Your session has ended")

    dialog.get_by_role("button", name="Reopen incident").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Sign in again")
    expect(dialog.get_by_label("Why is it reopened?")).to_have_value("The lock is back")

    other.get_by_label("Username").fill("admin")
    other.get_by_label("Password").fill(ADMIN_PASSWORD)
    other.get_by_role("button", name="Log in").click()
    other.wait_for_url(f"{life.url}/")
    other.close()
    dialog.get_by_role("button", name="Reopen incident").click()

    expect(dialog).to_be_hidden()
    expect(admin.locator("#header .status-resolved")).to_have_count(0)
    live(admin)
    expect(admin.locator("#connection")).to_be_hidden()
    assert life.complaints == []
