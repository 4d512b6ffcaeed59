"""One thing that somebody does at an address, and the entry it must leave in the audit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import ApiToken, Scope, User

Parts = Mapping[str, Any]
Start = Callable[[], Parts]


def nothing() -> Parts:
    return {}


@dataclass(frozen=True)
class Deed:
    """`leaves` is the entry's action; `start` makes the rows and says what fills the address.

    `given` is sent as JSON to the API and as a form to pages, over what an untouched form of the
    page sends; a text that begins with $ stands for one of the parts.
    """

    method: str
    template: str
    leaves: str
    start: Start = nothing
    given: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""  # who signs in there

    @property
    def who(self) -> str:
        """As the entry names them."""
        return self.by or ("ada (token robot)" if self.is_api else "ada")

    @property
    def place(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def is_api(self) -> bool:
        return self.template.startswith("/api/")

    def do(self, person: User) -> HttpResponse:
        """Pages as the person, the API with a token of theirs."""
        parts = self.start()
        path = self.template.format(**parts)
        given = {name: _filled(value, parts) for name, value in self.given.items()}
        if self.is_api:
            _token, plain = ApiToken.issue(name="robot", scopes=[Scope.ADMIN], owner=person)
            headers = {"Authorization": f"Bearer {plain}"}
            answer = Client().generic(
                self.method,
                path,
                json.dumps(given, default=str),
                "application/json",
                headers=headers,
            )
        else:
            browser = Client()
            person.refresh_from_db()
            if not self.by:
                browser.force_login(person)
            shown = browser.get(path)
            form = getattr(shown, "context", None) and shown.context.get("form")
            answer = browser.post(path, {**(untouched(form) if form else {}), **given})
        return answer


def untouched(form: Any) -> dict[str, Any]:
    """What a form sends that nobody typed into: each field and its hidden initial value."""
    data: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is None or value is False:
            continue
        shown = bound.field.widget.format_value(value)
        text = shown[0] if isinstance(shown, list) and len(shown) == 1 else shown
        data[bound.html_name] = "on" if value is True else "" if text is None else text
        if bound.field.show_hidden_initial:
            data[bound.html_initial_name] = str(value)
    return data


def _filled(value: Any, parts: Parts) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return parts[value[1:]]
    if isinstance(value, list):
        return [_filled(one, parts) for one in value]
    return value
