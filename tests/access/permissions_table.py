"""The table of docs/permissions.md, which is what the tests hold the product to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from accounts.models import INCLUDED_IN, Scope

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
ROLES = ("nobody", "viewer", "responder", "admin")
OUTCOMES = ("yes", "sign in", "401", "403")
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
    fitting = [row for row in table() if method in row.methods and fits(row.address, template)]
    return max(fitting, key=lambda row: len(row.address), default=None)


def tokens_let_in(row: Row) -> dict[str, bool]:
    """By scope; where no credential counts, as nobody is."""
    if row.token in ("any", "none"):
        return dict.fromkeys(SCOPES, row.token == "any" or row.by_role["nobody"] == "yes")
    return {scope: Scope(scope) in INCLUDED_IN[Scope(row.token)] for scope in SCOPES}


def fits(address: str, template: str) -> bool:
    """Whether a row of `address` is about `template`, or stands for it among others."""
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
