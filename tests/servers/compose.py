"""docker-compose.yml as Docker Compose reads it: merged, and filled in from an environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
# $$, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message}, ${NAME?message}
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:?[-?])([^}]*))?\})")


class Missing(Exception):
    """A variable that the file requires is not set; the message is the file's."""


def substitute(text: str, given: Mapping[str, str]) -> str:
    """The text with its variables replaced. Raises Missing for a required one."""

    def value(found: re.Match[str]) -> str:
        dollar, name, kind, word = found.groups()
        if dollar:
            return "$"
        present = given.get(name)
        usable = bool(present) if (kind or "").startswith(":") else present is not None
        if usable:
            return present or ""
        if kind and kind.endswith("?"):
            raise Missing(f"{name}: {word}")
        return word or ""

    return VARIABLE.sub(value, text)


@cache
def raw() -> dict[str, Any]:
    """The file with its merges carried out and its variables as they are; not to be changed."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def filled(given: Mapping[str, str]) -> dict[str, Any]:
    """The file for this environment. Raises Missing."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return substitute(value, given)
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        return [fill(each) for each in value] if isinstance(value, list) else value

    loaded: dict[str, Any] = fill(raw())
    return loaded
