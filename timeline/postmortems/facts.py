"""What a postmortem is drafted from: plain facts of the sealed record. Pure.

Times are UTC epoch seconds, durations seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from timeline.reporting.markdown import escaped


@dataclass(frozen=True)
class Happened:
    """One event of the record; `address` opens it, `by` is the person's name or None."""

    number: str
    address: str
    kind: str
    severity: str
    title: str
    at: float
    body: str = ""
    by: str | None = None
    source: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def link(self) -> str:
        return f"[event {self.number}]({self.address})"


@dataclass(frozen=True)
class Cause:
    """What the analysis says; `change` is the one it blames, in words, or "".

    `checks` are (purpose, text) as `correlation.explaining.reasoning` names purposes; `confirmed`
    is the name of who confirmed the cause.
    """

    title: str = ""
    service: str = ""
    confidence: float | None = None
    change: str = ""
    since: float | None = None
    against: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    checks: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    inconclusive: bool = False
    confirmed: str = ""


@dataclass(frozen=True)
class Affected:
    slug: str
    impact: str
    recovered: bool
    runbook_url: str = ""


@dataclass(frozen=True)
class Typical:
    """The median of what `count` earlier incidents took, seconds; None where too few are known."""

    seconds: float | None = None
    count: int = 0


@dataclass(frozen=True)
class Facts:
    """`ttd`, `mtta`, `ttm` and `mttr` are seconds from the start, None for what did not happen."""

    reference: str
    title: str
    severity: str
    environment: str
    opened_from: str
    started_at: float
    ttd: float | None = None
    mtta: float | None = None
    ttm: float | None = None
    mttr: float | None = None
    typical_ttd: Typical = Typical()
    typical_mtta: Typical = Typical()
    typical_mttr: Typical = Typical()
    services: tuple[Affected, ...] = ()
    events: tuple[Happened, ...] = ()
    cause: Cause | None = None
    impact: tuple[tuple[str, str], ...] = ()
    root_cause: str = ""
    resolution: str = ""
    similar: tuple[tuple[str, str], ...] = ()

    def of(self, *kinds: str) -> list[Happened]:
        """The events of these kinds, by when they happened."""
        return sorted((e for e in self.events if e.kind in kinds), key=lambda e: e.at)

    def first(self, *kinds: str) -> Happened | None:
        found = self.of(*kinds)
        return found[0] if found else None


def cited(text: str, events: Iterable[Happened | None] = ()) -> str:
    """A sentence with the events it rests on: "It broke ([event 3](...))."; `text` is plain."""
    return cited_markdown(escaped(text), events)


def cited_markdown(text: str, events: Iterable[Happened | None] = ()) -> str:
    links = list(dict.fromkeys(event.link for event in events if event is not None))
    if not links:
        return text
    end = "." if text.endswith(".") else ""
    return f"{text.removesuffix('.')} ({', '.join(links)}){end}"
