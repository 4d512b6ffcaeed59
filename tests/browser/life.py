"""The product under test and the people who use it, with everything their pages complain about."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Response

from tests.servers import studio


@dataclass
class Life:
    """The running product and what its pages complained about: consoles, 4xx, 5xx."""

    running: studio.Studio
    directory: Path
    complaints: list[str] = field(default_factory=list)
    token: str = ""
    address: str = ""

    @property
    def url(self) -> str:
        return self.running.url

    def sign_in(self, browser: Browser, name: str, password: str) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(90_000)
        page = context.new_page()
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._answered)
        page.goto(f"{self.url}/login")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{self.url}/")
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")
