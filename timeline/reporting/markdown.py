"""Markdown of what people and machines wrote: nothing of a text is taken for markup. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
LIST_MARK = re.compile(r"^([#+=-]|\d+[.)])")


def escaped(text: object) -> str:
    """One line of plain text, to stand anywhere in Markdown; None becomes ""."""
    line = " ".join(str("" if text is None else text).split())
    line = SPECIAL.sub(r"\\\1", line)
    mark = LIST_MARK.match(line)
    return f"{line[: mark.end() - 1]}\\{line[mark.end() - 1 :]}" if mark else line


def quoted(text: str) -> str:
    """What a person wrote in Markdown, set apart from what surrounds it."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of plain cells; "" without rows."""
    lines = [[escaped(cell) for cell in row] for row in rows]
    if not lines:
        return ""
    return linked_table(head, lines)


def linked_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def moment(text: str | None) -> datetime | None:
    """RFC 3339 text as canonical JSON has it; None for none."""
    return datetime.fromisoformat(text) if text else None


def clock(text: str | None) -> str:
    """ "2026-03-01T10:00:05.250000Z" -> "2026-03-01 10:00:05 UTC"; "" for none."""
    at = moment(text)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""


def percent(share: float) -> str:
    """0.873 -> "87 %": never 100 % for what is not certain."""
    return f"{min(int(share * 100 + 0.5), 99 if share < 1 else 100)} %"
