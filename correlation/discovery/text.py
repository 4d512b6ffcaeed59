"""What discovery found, for a terminal."""

from __future__ import annotations

import json

from correlation.discovery.catalogue import Summary
from correlation.discovery.proposals import Discovery
from correlation.discovery.seeing import Looked
from correlation.doctor.tables import table


def as_text(
    environment: str, looked: Looked, found: Discovery, summary: Summary | None = None
) -> str:
    """Sources, services, dependencies, then what was written or how to write it."""
    lines = [f"Environment {environment}", "", "Sources"]
    lines += table(("  SOURCE", "STATE", ""), [(f"  {a}", b, c) for a, b, c in looked.states])
    lines += ["", f"Services ({len(found.services)})"]
    if found.services:
        lines += table(
            ("  SLUG", "STATE", "ROLE", "NAMESPACE", "SEEN IN", "SELECTORS"),
            [
                (
                    f"  {one.slug}",
                    one.state,
                    one.role,
                    one.namespace or "-",
                    _sources(one.seen),
                    json.dumps(one.selectors) if one.selectors else "-",
                )
                for one in found.services
            ],
        )
    reasons = [f"  {one.slug}: {one.role}, {one.role_because}" for one in found.services
               if one.role_because]  # fmt: skip
    lines += ["", "Roles guessed", *reasons] if reasons else []
    lines += ["", f"Dependencies ({len(found.calls)})"]
    if found.calls:
        lines += table(
            ("  CALLER", "CALLEE", "STATE", "SEEN IN"),
            [
                (f"  {c.caller}", c.callee, "exists" if c.exists else "new", _sources(c.seen))
                for c in found.calls
            ],
        )
    if found.left_out:
        lines += ["", f"Left out as system add-ons: {', '.join(found.left_out)}"]
    lines += [f"Note: {note}" for note in found.notes]
    return "\n".join([*lines, "", *_written(found, summary)])


def _written(found: Discovery, summary: Summary | None) -> list[str]:
    if summary is None:
        new = sum(not one.exists for one in found.services)
        fill = sum(bool(one.fills) for one in found.services)
        calls = sum(not one.exists for one in found.calls)
        counted = f"{new} new services, {fill} to fill, {calls} new dependencies"
        again = " Write them with --apply." if new or fill or calls else ""
        return [f"{counted}. Nothing was written.{again}"]
    return [
        *(f"Not written: {why}" for why in summary.refused),
        f"Written: {summary.services} services, {summary.filled} filled, "
        f"{summary.dependencies} dependencies.",
    ]


def _sources(seen: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(sorted({source for source, _ in seen}))
