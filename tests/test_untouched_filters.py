"""Filters sent as they stand: what a form left empty asks for nothing and is refused nowhere."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import pytest
from django.test import Client

from accounts.models import User
from tests.endpoints.rows import make_rows
from tests.endpoints.walk import Address, addresses

Attributes = dict[str, str | None]


class FilterForms(HTMLParser):
    """The GET forms of a page: (action, what a browser sends of it untouched)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str]]]] = []
        self._inside = False
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = (given.get("method") or "get").lower() == "get"
            if self._inside:
                self.found.append((given.get("action") or "", []))
        elif self._inside and tag == "input":
            self._input(given)
        elif self._inside and tag == "select":
            self._select, self._options = given.get("name"), []
        elif self._select and tag == "option":
            # an <option> without a value sends its text: none of an untouched form does
            self._options.append((given.get("value") or "", "selected" in given))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected]
            chosen = chosen or [value for value, _ in self._options[:1]]
            self.found[-1][1].extend((self._select, value) for value in chosen)
            self._select = None

    def _input(self, given: Attributes) -> None:
        name, kind = given.get("name"), given.get("type") or "text"
        if not name or kind in ("submit", "button", "reset", "image"):
            return
        if kind in ("checkbox", "radio") and "checked" not in given:
            return
        default = "on" if kind in ("checkbox", "radio") else ""
        self.found[-1][1].append((name, given.get("value") or default))


def filters_of(address: Address) -> list[str]:
    """The names of the query parameters that a list of the API filters by."""
    view = getattr(address.callback, "cls", None)
    filters = getattr(view, "filterset_class", None)
    listing = (getattr(address.callback, "actions", None) or {}).get("get") == "list"
    return list(filters.base_filters) if filters is not None and listing else []


@pytest.mark.django_db
def test_every_filter_form_of_a_page_can_be_sent_untouched(client: Client) -> None:
    kept = make_rows(1)
    client.force_login(kept[User][0])  # type: ignore[arg-type]
    answers = {}
    for address in addresses():
        if address.route.startswith("api/"):
            continue
        path = address.filled(kept)
        page = client.get(path)
        if page.status_code != 200 or "text/html" not in page.headers["Content-Type"]:
            continue
        for action, fields in FilterForms(page.text).found:
            asked = f"{urljoin(path, action).partition('?')[0]}?{urlencode(fields)}"
            answers[asked] = client.get(asked).status_code

    refused = {asked: status for asked, status in answers.items() if status != 200}

    assert refused == {}
    assert {"/", "/alerts", "/alerts/deliveries", "/slos", "/tasks", "/stats"} <= {
        asked.partition("?")[0] for asked in answers
    }


@pytest.mark.django_db
def test_every_list_of_the_api_takes_its_filters_empty(client: Client) -> None:
    kept = make_rows(1)
    client.force_login(kept[User][0])  # type: ignore[arg-type]
    named = {address.filled(kept): filters_of(address) for address in addresses()}
    empty = {
        f"{path}?{name}=": name for path, filters in named.items() if filters for name in filters
    }

    refused = {asked: status for asked in empty if (status := client.get(asked).status_code) != 200}

    assert refused == {}
    assert {"status", "severity", "state", "quality"} <= set(empty.values())
