"""What a store checks in the statement that writes: that a remembered sender still may."""

from __future__ import annotations

from dataclasses import dataclass


class Unproven(Exception):
    """The sender must be looked up anew; nothing was written."""


@dataclass(frozen=True)
class Proof:
    """The hash of a token without an owner, and its source's ignored labels, as JSON."""

    token_hash: str
    ignored_labels: str
