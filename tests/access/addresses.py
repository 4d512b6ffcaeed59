"""Every address of the URL conf, written as docs/permissions.md writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import get_resolver

from incidents.routing import websocket_urlpatterns

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOBODYS = "7e57ab1e-0000-4000-8000-000000000000"
# what stands for a part of an address that names nothing there is
EXAMPLES = {"uuid": NOBODYS, "slug": "no-such", "str": "no-such", "path": "no-such", "int": "99999"}
ADMIN = "/admin/"


@dataclass(frozen=True)
class Address:
    """`template` is "/incidents/{reference}", `example` a path that names nothing there is."""

    template: str
    example: str

    @property
    def is_api(self) -> bool:
        return self.template.startswith("/api/")

    def path(self, **parts: object) -> str:
        return self.template.format(**parts)


def socket_templates() -> list[str]:
    """In the order of the routing."""
    return ["/" + _template(str(found.pattern)) for found in websocket_urlpatterns]


@cache
def addresses() -> tuple[Address, ...]:
    """In the order of the URL conf, each once."""
    found = dict.fromkeys(_walk(get_resolver().url_patterns, ""))
    return tuple(Address("/" + _template(route), "/" + _example(route)) for route in found)


def _walk(patterns: Any, prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route


def _template(route: str) -> str:
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", route))
    return route.replace("^", "").replace("$", "")


def _example(route: str) -> str:
    regex = re.sub(r"\(\?P<\w+>([\w|]+)\)", lambda found: found[1].split("|")[0], route)
    regex = re.sub(r"\(\?P<\w+>[^)]*\)", "no-such", regex).replace("^", "").replace("$", "")
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES[found[1] or "str"], regex)
