"""The table of docs/permissions.md, which is what the tests hold the product to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
ROLES = ("nobody", "viewer", "responder", "admin")
OUTCOMES = ("yes", "sign in", "401", "403", "404")
SCOPES = ("read", "write", "admin", "intake")
TOKENS = (*SCOPES, "any", "none")
ANY_BELOW = "…"  # ends an address that stands for all below it


@dataclass(frozen=True)
class Row:
    """What each role gets, and the least scope that opens it to a token."""

    address: str
    methods: tuple[str, ...]
    by_role: dict[str, str]
    token: str


@cache
def table() -> tuple[Row, ...]:
    lines = DOCUMENT.read_text().splitlines()
    return tuple(_row(line) for line in lines if line.startswith("| `"))


def row_for(template: str, method: str) -> Row | None:
    """The row of the address itself, else of the longest address it is below."""
    fitting = [row for row in table() if method in row.methods and _fits(row.address, template)]
    return max(fitting, key=lambda row: len(row.address), default=None)


def _fits(address: str, template: str) -> bool:
    if address.endswith(ANY_BELOW):
        return template.startswith(address.removesuffix(ANY_BELOW))
    return address == template


def _row(line: str) -> Row:
    address, methods, *outcomes, token = [cell.strip() for cell in line.strip("|").split("|")]
    by_role = dict(zip(ROLES, outcomes, strict=True))
    unknown = {*by_role.values()} - {*OUTCOMES} | {token} - {*TOKENS}
    if unknown:
        raise ValueError(f"{line}: {sorted(unknown)} say nothing")
    return Row(address.strip("`"), tuple(methods.split(", ")), by_role, token)
