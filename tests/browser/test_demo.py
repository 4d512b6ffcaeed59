"""A stranger's first minutes, in a real browser: break something and watch.

One test after another on one running demo; each stands on what the earlier ones made.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from reliability_studio.demo_stories import STORIES
from tests.browser.conftest import lab_is_ready
from tests.servers.studio import Studio

pytestmark = pytest.mark.browser
LIVE = f"INC-{len(STORIES) + 1}"
"""The first incident of the lab: the demo's past comes before it."""
expect.set_options(timeout=90_000)


def test_fault_becomes_an_incident_with_its_cause_without_touching_the_page(
    page: Page, second_tab: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(demo.url)
    expect(page.locator(".live-dot")).to_have_attribute("data-live", "on")
    lab_is_ready(second_tab, demo)
    complaints.clear()  # the lab's 503s while it was starting

    second_tab.locator("form[action$='/pool-exhaustion/start'] button").click()
    expect(second_tab.locator(".fault.is-active")).to_have_count(1)

    row = page.locator("#board tr", has_text="payment-processing").first
    expect(row).to_contain_text("payment-processing: connection pool")
    expect(row).to_contain_text(re.compile(r"\d+ % ?(high|medium|low)"))

    # a look at the incident, still without a reload of the board
    row.locator("a.incident-title").click()
    cause = page.locator("#causes .cause").first
    expect(cause.locator(".tag")).to_have_text("payment-processing")
    expect(cause.locator(".confidence")).to_contain_text(re.compile(r"\d+ % ?(high|medium|low)"))
    expect(page.locator("#timeline .event").nth(5)).to_be_attached()
    first = page.locator("#evidence details.evidence").first
    first.locator("summary").click()
    expect(first.locator(".query code")).not_to_be_empty()
    expect(first.locator("svg.plot")).to_be_visible()
    assert complaints == []


def test_second_tab_sees_a_step_taken_in_the_first(
    page: Page, second_tab: Page, demo: Studio, complaints: list[str]
) -> None:
    for tab in (page, second_tab):
        tab.goto(f"{demo.url}/incidents/{LIVE}")
        expect(tab.locator(".live-dot")).to_have_attribute("data-live", "on")
    first = second_tab.locator("#evidence details.evidence").first.get_attribute("id")
    opened = second_tab.locator(f"#{first}")  # by its id: the next analysis may order them anew
    opened.locator("summary").click()

    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#header .status-investigating")).to_be_visible()
    expect(second_tab.locator("#header .status-investigating")).to_be_visible()

    page.get_by_placeholder("Add a note").fill("Raised the pool to 20")
    page.get_by_role("button", name="Add to timeline").click()
    expect(second_tab.locator("#timeline .event-note")).to_have_count(1)
    expect(second_tab.locator("#timeline .event-note")).to_contain_text("Raised the pool to 20")

    page.get_by_role("button", name="Analyse again").click()
    expect(second_tab.locator("#causes")).to_contain_text("payment-processing")
    expect(opened).to_have_attribute("open", "")  # what a reader opened stays open
    assert complaints == []


def test_query_of_a_piece_of_evidence_is_copied(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{demo.url}/incidents/{LIVE}")
    row = page.locator("#evidence details.evidence", has=page.locator(".query")).first
    row.locator("summary").click()

    button = row.locator(".query .copy")
    button.click()

    expect(button).to_have_text("Copied")
    expect(button).to_be_focused()
    assert (
        page.evaluate("navigator.clipboard.readText()") == row.locator(".query code").inner_text()
    )
    expect(button).to_have_text("Copy")
    assert complaints == []


def test_data_source_is_checked_and_examined_from_its_page(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(f"{demo.url}/datasources")
    page.get_by_role("button", name="Check tempo now").click()
    expect(page.locator("#source-tempo")).to_be_visible()
    expect(page.locator("tr", has=page.locator("#source-tempo"))).to_contain_text("healthy")

    page.locator("#source-tempo").click()
    page.get_by_role("button", name="Examine now").click()
    expect(page.locator("#doctor .rows")).to_contain_text("checkout")
    assert complaints == []


def test_refused_step_is_told_in_words(
    page: Page, second_tab: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(f"{demo.url}/incidents/{LIVE}")
    page.get_by_role("button", name="Mark mitigated").click()
    dialog = page.locator("#act-dialog")
    expect(dialog).to_be_visible()
    page.route("**/mitigate", lambda route: route.abort())
    dialog.get_by_role("button", name="Mark mitigated").click()

    said = dialog.get_by_role("alert")
    expect(said).to_contain_text("The server could not be reached")
    expect(page.locator("#notice")).to_be_empty()  # it would lie behind the dialog


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/incidents/{LIVE}",
        "/incidents/INC-1",
        "/incidents/INC-1/report",
        "/incidents/INC-1/postmortem",
        "/stats",
        "/services",
        "/services/checkout",
        "/datasources",
        "/datasources/prometheus",
        "/lab",
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(
    page: Page, demo: Studio, complaints: list[str], path: str, scheme: str
) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    page.goto(demo.url + path)

    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert complaints == []


def test_menu_of_a_phone_opens_closes_and_names_the_page(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.set_viewport_size({"width": 390, "height": 740})
    page.goto(f"{demo.url}/notifications")
    button, nav = page.locator("#nav-toggle"), page.locator("#nav")
    expect(button).to_have_accessible_name("Menu, Notifications")
    expect(nav).to_be_hidden()

    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(nav.get_by_role("link", name="Board")).to_be_visible()
    expect(nav.get_by_role("link", name="Admin")).to_be_visible()
    page.keyboard.press("Tab")
    expect(nav.get_by_role("link", name="Board")).to_be_focused()
    page.keyboard.press("Escape")

    expect(nav).to_be_hidden()
    expect(button).to_be_focused()
    bar = page.locator(".topbar").bounding_box()
    assert bar is not None
    assert bar["height"] < 60
    assert complaints == []


def test_later_entries_of_the_navigation_open_by_keyboard(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(demo.url)
    page.locator("#nav-more-toggle").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url("**/notifications")
    expect(page.locator("#nav-more-toggle")).to_have_class(re.compile("is-current"))
    expect(page.locator("#nav-more")).to_be_hidden()
    assert complaints == []


def test_panel_that_a_page_does_not_hold_is_left_out(
    page: Page, second_tab: Page, demo: Studio, complaints: list[str]
) -> None:
    """As after an update of the server, when an open page is older than its panels."""
    for tab in (page, second_tab):
        tab.goto(f"{demo.url}/incidents/{LIVE}")
        expect(tab.locator(".live-dot")).to_have_attribute("data-live", "on")
    second_tab.evaluate("document.getElementById('aftermath').remove()")

    page.get_by_placeholder("Add a note").fill("The pool was raised everywhere")
    page.get_by_role("button", name="Add to timeline").click()

    expect(second_tab.locator("#timeline")).to_contain_text("The pool was raised everywhere")
    assert complaints == []


def test_event_is_pinned_on_the_page_of_the_whole_timeline(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    """It has no panels that an answer could replace."""
    page.goto(f"{demo.url}/incidents/{LIVE}/timeline")
    event = page.locator(".event", has_text="Raised the pool to 20").first
    event.locator(".event-more").click()
    page.get_by_role("button", name="Pin to the top").click()

    expect(page.locator(".event-pinned")).to_have_count(1)
    assert complaints == []


def test_theme_chosen_by_hand_is_remembered(page: Page, demo: Studio) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(demo.url)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)

    page.locator("#theme-toggle").click()
    page.reload()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(background) != light


def test_resolving_seals_the_timeline(page: Page, demo: Studio, complaints: list[str]) -> None:
    page.goto(f"{demo.url}/incidents/{LIVE}")
    page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_label("What fixed it").fill("A larger pool")
    page.get_by_role("button", name="Resolve incident").click()

    expect(page.locator("#header .status-resolved")).to_be_visible()
    expect(page.locator("#header")).to_contain_text("A larger pool")
    expect(page.locator("#act-dialog")).to_be_hidden()
    expect(page.locator("#timeline .timeline-sealed")).to_be_visible()
    expect(page.get_by_placeholder("Add a note")).to_be_hidden()  # it would be refused
    assert complaints == []


def test_board_comes_back_by_itself_after_a_restart(page: Page, demo: Studio) -> None:
    page.goto(demo.url)
    expect(page.locator(".live-dot")).to_have_attribute("data-live", "on")

    assert demo.stop() == 0
    expect(page.locator("#connection")).to_contain_text("Reconnecting")
    again = demo.start_again()
    demo.process = again.process
    demo.await_ready()

    expect(page.locator(".live-dot")).to_have_attribute("data-live", "on")
    expect(page.locator("#connection")).to_be_hidden()
