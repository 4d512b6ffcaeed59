"""Plain text in aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

WIDEST = 60
"""Characters of a column that is not the last one; longer cells push their row out."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Lines with each column as wide as its widest cell; the last column is not padded."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [
        min(WIDEST, max(len(line[column]) for line in lines)) for column in range(len(heads) - 1)
    ]
    return [
        indent
        + "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        ).rstrip()
        for line in lines
    ]


def ago(seconds: float | None) -> str:
    """12.3 -> "12 s ago"; None -> "-"."""
    if seconds is None:
        return "-"
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"
