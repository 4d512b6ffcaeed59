"""The sections of a report: apps register what they know of an incident.

A section is gathered once, when the report is written, and rendered from what was gathered: the
page, the Markdown and the JSON of a version never change afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.models import Incident

Gather = Callable[[Incident, datetime | None], dict[str, Any]]
Markdown = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Section:
    """`gather(incident, as_of)` gives what canonical JSON can say (`accounts.chain.canonical`).

    `template` and `markdown` get that back from JSON: moments are RFC 3339 text in UTC by then.
    `markdown` gives the section without its heading. `as_of` None means now.
    """

    name: str
    title: str
    order: int
    gather: Gather
    template: str
    markdown: Markdown


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    _sections[section.name] = section


def unregister(name: str) -> None:
    _sections.pop(name, None)


def sections() -> list[Section]:
    """In the order of the report."""
    return sorted(_sections.values(), key=lambda one: (one.order, one.name))


def section(name: str) -> Section | None:
    return _sections.get(name)
