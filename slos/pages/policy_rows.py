"""The rows of the form in which burn rate policies are typed: windows as 1h, factors as numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from slos.burn import Policy
from slos.promql import duration_of, seconds_of

MOST = 8
WINDOW = re.compile(r"(\d+(ms|[smhdw]))+")
PARTS = ("severity", "long", "short", "factor")


@dataclass(frozen=True)
class PolicyRow:
    """As it was typed."""

    severity: str = "page"
    long: str = ""
    short: str = ""
    factor: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.long or self.short or self.factor)


def rows_of(policies: Sequence[Policy]) -> list[PolicyRow]:
    return [
        PolicyRow(
            policy.severity,
            duration_of(policy.long_seconds),
            duration_of(policy.short_seconds),
            f"{policy.factor:.10g}",
        )
        for policy in policies
    ]


def typed(data: QueryDict) -> list[PolicyRow]:
    """The rows of a request, those without anything in them left out."""
    lists = [data.getlist(f"policy_{part}")[:MOST] for part in PARTS]
    rows = [PolicyRow(*(text.strip() for text in row)) for row in zip(*lists, strict=False)]
    return [row for row in rows if not row.is_empty]


def with_room(rows: Sequence[PolicyRow]) -> list[PolicyRow]:
    """With one empty row to type another policy into."""
    return [*rows, PolicyRow("ticket")] if len(rows) < MOST else list(rows)


def policies_json(rows: Sequence[PolicyRow]) -> list[dict[str, Any]]:
    """The policies in the form of `slos.stored`; raises ValueError in words for the writer."""
    made = []
    for number, row in enumerate(rows, start=1):
        for text in (row.long, row.short):
            if not WINDOW.fullmatch(text):
                raise ValueError(f"Policy {number}: {text[:20]!r} is no window such as 1h or 30m.")
        try:
            factor = float(row.factor.rstrip("×x "))
        except ValueError:
            raise ValueError(f"Policy {number}: {row.factor[:20]!r} is no number.") from None
        made.append(
            {
                "severity": row.severity,
                "long_seconds": seconds_of(row.long),
                "short_seconds": seconds_of(row.short),
                "factor": factor,
            }
        )
    return made
