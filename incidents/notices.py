"""What apps have to say above the board, such as that work waits; nothing where all is well."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

logger = logging.getLogger("studio.live")


@dataclass(frozen=True)
class Notice:
    """`context()` gives the template's variables, None when there is nothing to say."""

    name: str
    template: str
    context: Callable[[], dict[str, Any] | None]


_notices: dict[str, Notice] = {}


def register(notice: Notice) -> None:
    _notices[notice.name] = notice


def drawn() -> list[str]:
    """The HTML of what there is to say; a notice that raises costs no other, nor the board."""
    found: list[str] = []
    for notice in _notices.values():
        try:
            context = notice.context()
            if context is not None:
                found.append(render_to_string(notice.template, context))
        except Exception:
            # any bug of any app's notice: the board is needed all the same
            logger.exception("notice %s could not be drawn", notice.name)
    return found
