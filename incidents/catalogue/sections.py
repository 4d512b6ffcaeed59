"""What other apps show on a service's page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from incidents.models import Service

logger = logging.getLogger("studio.live")


@dataclass(frozen=True)
class Section:
    """`context(service)` gives the template's variables, None when there is nothing to show."""

    name: str
    template: str
    context: Callable[[Service], dict[str, Any] | None]


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    _sections[section.name] = section


def drawn(service: Service) -> list[SafeString]:
    """The HTML of each; a section that raises costs no other, nor the page."""
    found: list[SafeString] = []
    for section in _sections.values():
        try:
            context = section.context(service)
            if context is not None:
                found.append(render_to_string(section.template, {**context, "service": service}))
        except Exception:
            # any bug of any app's section: the page is needed all the same
            logger.exception("section %s could not be drawn", section.name)
    return found
