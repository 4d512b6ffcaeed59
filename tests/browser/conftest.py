"""Headless Chromium and the whole demo, each started once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.life import Life
from tests.servers import studio

ADMIN_PASSWORD = "browser-test-7f3a"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: while Playwright runs, its event loop makes Django refuse queries here."""
    if CHROMIUM is None:
        pytest.skip("browser tests: no chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[studio.Studio]:
    directory: Path = tmp_path_factory.mktemp("browser") / "studio"
    running = studio.start(directory, "--demo", STUDIO_ADMIN_PASSWORD=ADMIN_PASSWORD)
    running.await_ready()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def life(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The demo without its lab: all that happens comes from the outside."""
    directory = tmp_path_factory.mktemp("life") / "studio"
    running = studio.start(directory, "--demo", "--no-lab", STUDIO_ADMIN_PASSWORD=ADMIN_PASSWORD)
    running.await_ready()
    yield Life(running, directory)
    assert running.stop() == 0


@pytest.fixture
def complaints() -> list[str]:
    """What the pages of `page` and of `second_tab` complained about on their consoles."""
    return []


def open_tab(browser: Browser, demo: studio.Studio, complaints: list[str]) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{demo.url}/login")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url(f"{demo.url}/")
    return page


@pytest.fixture
def page(browser: Browser, demo: studio.Studio, complaints: list[str]) -> Iterator[Page]:
    opened = open_tab(browser, demo, complaints)
    yield opened
    opened.context.close()


@pytest.fixture
def second_tab(browser: Browser, demo: studio.Studio, complaints: list[str]) -> Iterator[Page]:
    opened = open_tab(browser, demo, complaints)
    yield opened
    opened.context.close()


def lab_is_ready(page: Page, demo: studio.Studio) -> None:
    """The lab's page says so itself while the lab simulates its past hour."""
    until = time.monotonic() + 90
    while page.goto(f"{demo.url}/lab").status != 200:  # type: ignore[union-attr]
        assert time.monotonic() < until, page.locator("main").inner_text()
        page.wait_for_timeout(1000)
