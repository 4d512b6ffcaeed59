"""An incident's life without a pointer, and what a live update must not take from who works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ADMIN_PASSWORD
from tests.browser.life import Life

pytestmark = pytest.mark.browser
MOST_STOPS = 60
"""More than any page here has before what is looked for."""
Post = Callable[[str, dict[str, str]], dict[str, str]]


@pytest.fixture(scope="module")
def post(life: Life) -> Post:
    """What somebody else does meanwhile, through the API."""
    signed_in = requests.post(
        f"{life.url}/api/auth/login",
        json={"username": "admin", "password": ADMIN_PASSWORD},
        timeout=60,
    )
    bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}

    def send(path: str, body: dict[str, str]) -> dict[str, str]:
        answer = requests.post(f"{life.url}/api{path}", json=body, headers=bearer, timeout=60)
        answer.raise_for_status()
        found: dict[str, str] = answer.json()
        return found

    return send


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what fits `selector` is focused."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not within {MOST_STOPS} stops")


def live(page: Page) -> None:
    expect(page.locator(".live-dot")).to_have_attribute("data-live", "on", timeout=90_000)


def test_incident_is_led_from_sign_in_to_resolved_by_keyboard_alone(
    browser: Browser, life: Life, post: Post
) -> None:
    expect.set_options(timeout=90_000)
    one = post("/incidents", {"title": "The mail queue grows", "severity": "high"})
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    keyboard, dialog = page.keyboard, page.locator("#act-dialog")
    page.on("pageerror", lambda error: life.complaints.append(str(error)))

    page.goto(f"{life.url}/login")
    keyboard.type("admin")
    keyboard.press("Tab")
    keyboard.type(ADMIN_PASSWORD)
    keyboard.press("Enter")
    live(page)
    tab_to(page, f"#row-{one['reference']}")
    keyboard.press("Enter")
    page.wait_for_url(f"**/incidents/{one['reference']}")
    live(page)

    tab_to(page, "#act-acknowledge")
    keyboard.press("Enter")
    expect(page.locator("#header .status-investigating")).to_be_visible()
    expect(page.locator("#header")).to_be_focused()

    tab_to(page, "#act-menu summary")
    keyboard.press("Enter")
    keyboard.press("ArrowDown")
    expect(page.locator("#act-edit")).to_be_focused()
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    expect(page.locator("#act-close")).to_be_focused()
    keyboard.press("Escape")
    expect(page.locator("#act-menu summary")).to_be_focused()

    page.reload()
    live(page)
    tab_to(page, "#act-mitigate")
    keyboard.press("Enter")
    expect(dialog.locator("textarea")).to_be_focused()
    keyboard.press("Escape")
    expect(page.locator("#act-mitigate")).to_be_focused()
    keyboard.press("Enter")
    expect(dialog.locator("textarea")).to_be_focused()
    keyboard.type("The sender was stopped")
    tab_to(page, "#act-dialog button:not([type=button])")
    keyboard.press("Enter")
    expect(page.locator("#header .status-mitigated")).to_be_visible()

    tab_to(page, "#act-resolve")
    keyboard.press("Enter")
    expect(dialog.locator("textarea").first).to_be_focused()
    keyboard.type("A loop in the newsletter")
    tab_to(page, "#act-dialog button:not([type=button])")
    keyboard.press("Enter")
    expect(page.locator("#header .status-resolved")).to_be_visible()
    expect(page.locator("#header")).to_be_focused()
    assert life.complaints == []
    context.close()


def test_open_list_of_choices_outlives_a_live_update(
    browser: Browser, life: Life, post: Post
) -> None:
    one = post("/incidents", {"title": "Search finds nothing", "severity": "low"})
    page = life.sign_in(browser, "admin", ADMIN_PASSWORD)
    page.goto(f"{life.url}/incidents/{one['reference']}")
    live(page)
    kinds = page.locator("#timeline-kind")
    kinds.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#timeline-kind:open")).to_have_count(1)

    post(f"/incidents/{one['id']}/timeline", {"title": "The index is empty", "body": ""})
    post(f"/incidents/{one['id']}/tasks", {"title": "Fill the index"})
    expect(page.locator("#tasks .task")).to_have_count(1)  # what came later is on the page

    expect(page.locator("#timeline-kind:open")).to_have_count(1)
    expect(page.locator("#timeline .event-note")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#timeline .event-note")).to_have_count(1)
    expect(kinds).to_be_focused()
    page.context.close()


def test_form_that_comes_back_is_at_its_first_mistake(browser: Browser, life: Life) -> None:
    page = life.sign_in(browser, "admin", ADMIN_PASSWORD)
    page.goto(f"{life.url}/alerts/rules/new")
    page.get_by_label("Name").fill("no-window")
    page.get_by_label("Minimum alerts").fill("3")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_label("Window (seconds)")).to_be_focused()
    page.context.close()


def test_token_is_revoked_only_after_a_question(browser: Browser, life: Life) -> None:
    page = life.sign_in(browser, "admin", ADMIN_PASSWORD)
    page.goto(f"{life.url}/alerts/sources")
    page.get_by_label("Name").fill("asked-first")
    page.get_by_role("button", name="Create it and show its token").click()
    page.goto(f"{life.url}/alerts/sources/asked-first")
    revoke = page.get_by_role("button", name="Revoke the token")

    page.once("dialog", lambda dialog: dialog.dismiss())
    revoke.click()
    expect(revoke).to_be_visible()

    page.once("dialog", lambda dialog: dialog.accept())
    revoke.click()
    expect(page.get_by_text("1 token revoked.")).to_be_visible()
    page.context.close()
