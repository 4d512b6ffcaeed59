"""A stranger's first minutes, timed in a browser: python -m benchmarks.walk

Starts the demo on a fresh state and measures, for each fault of the lab, fault to incident on
the board, incident to root cause on its page, and whether the true service is named; then, for
single changes, commit to screen, beside the HTTP request that made the change. Seconds are of
this machine under whatever load it has; the ratios are what to compare.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ADMIN_PASSWORD, ARGUMENTS, CHROMIUM
from tests.servers import studio

CHANGES = 20
SETTLE_SECONDS = 45.0
CAUSE = "#causes:not(:has(.is-open)) article[data-rank='1'] h3"
WATCH = """() => {
    window.seen = {};
    new MutationObserver(() => {
        const text = document.querySelector('#timeline').textContent;
        for (const mark of text.match(/mark-\\d+/g) || []) window.seen[mark] ??= Date.now();
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def main() -> None:
    if CHROMIUM is None:
        raise SystemExit("This benchmark needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        began = time.monotonic()
        demo = studio.start(Path(folder) / "state", "--demo", STUDIO_ADMIN_PASSWORD=ADMIN_PASSWORD)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            demo.await_ready()
            print(f"start to first healthy answer: {time.monotonic() - began:.1f} s")
            page = browser.new_page()
            sign_in_page(page, demo.url)
            session = sign_in_api(demo.url)
            lab = await_lab(Path(folder) / "state")
            print(f"start to the lab's hour of history: {time.monotonic() - began:.1f} s")
            for fault in requests.get(f"{lab}/lab/faults", timeout=10).json():
                measure_fault(page, session, demo.url, lab, fault)
            measure_changes(page, session, demo.url)
        finally:
            browser.close()
            demo.stop()


def sign_in_page(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url(f"{url}/")


def sign_in_api(url: str) -> requests.Session:
    session = requests.Session()
    answer = session.post(
        f"{url}/api/auth/login",
        json={"username": "admin", "password": ADMIN_PASSWORD},
        timeout=10,
    )
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def await_lab(state: Path) -> str:
    lab = f"http://127.0.0.1:{(state / 'lab.port').read_text().strip()}"
    while not requests.get(f"{lab}/lab/status", timeout=10).json()["ready"]:
        time.sleep(0.2)
    return lab


def measure_fault(
    page: Page, session: requests.Session, url: str, lab: str, fault: dict[str, Any]
) -> None:
    page.goto(f"{url}/?status=open")
    page.wait_for_timeout(500)
    started = time.time()
    requests.post(f"{lab}/lab/faults/{fault['id']}/start", timeout=10).raise_for_status()
    page.locator("#board a[href^='/incidents/INC-']").first.wait_for(timeout=60_000)
    on_board = time.time()
    link = page.locator("#board a[href^='/incidents/INC-']").first.get_attribute("href") or ""
    page.goto(url + link)
    page.locator(CAUSE).first.wait_for(timeout=60_000)
    shown = time.time()
    named = page.locator(CAUSE).first.inner_text()
    incident = session.get(f"{url}/api{link.lower().replace('inc-', 'INC-')}", timeout=10).json()
    detected = from_iso(incident["detected_at"])
    right = incident["top_cause_service"] == fault["service"]
    print(
        f"{fault['id']:>16}: fault to incident on the board {on_board - started:5.1f} s, "
        f"incident to cause on the page {shown - detected:4.1f} s, "
        f"{'right' if right else 'WRONG'}: {named} "
        f"({incident['top_cause_confidence'] or 0:.2f})"
    )
    requests.post(f"{lab}/lab/faults/stop", timeout=10)
    time.sleep(SETTLE_SECONDS)
    for open_one in session.get(f"{url}/api/incidents?open=true", timeout=10).json()["results"]:
        session.post(f"{url}/api/incidents/{open_one['id']}/resolve", json={}, timeout=10)


def measure_changes(page: Page, session: requests.Session, url: str) -> None:
    made = session.post(
        f"{url}/api/incidents", json={"title": "Timing", "severity": "low"}, timeout=10
    ).json()
    page.goto(f"{url}/incidents/{made['reference']}")
    page.locator("#timeline li").first.wait_for()
    page.wait_for_timeout(3000)
    page.evaluate(WATCH)
    requests_ms, screen_ms = [], []
    for n in range(CHANGES):
        asked = time.time()
        session.post(
            f"{url}/api/incidents/{made['id']}/timeline", json={"title": f"mark-{n}"}, timeout=10
        ).raise_for_status()
        answered = time.time()
        page.wait_for_function(f"() => window.seen['mark-{n}']", timeout=30_000)
        screen_ms.append(page.evaluate(f"() => window.seen['mark-{n}']") - asked * 1000)
        requests_ms.append((answered - asked) * 1000)
        time.sleep(0.3)
    ratio = statistics.median(screen_ms) / statistics.median(requests_ms)
    print(
        f"request to screen: median {statistics.median(screen_ms):.0f} ms, "
        f"worst of {CHANGES} {max(screen_ms):.0f} ms; the request alone: median "
        f"{statistics.median(requests_ms):.0f} ms; ratio {ratio:.2f}"
    )


def from_iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main()
