"""Deploys, flags and config edits: which came shortly before the trouble of their own service."""

from __future__ import annotations

import math

from correlation.telemetry import Change, Evidence, Telemetry

BEFORE_SECONDS = 600.0
AFTER_SECONDS = 30.0
"""A change recorded this much after the onset may still be its cause: clocks and onsets err."""


def change_strengths(
    telemetry: Telemetry, service: str, onset: float | None
) -> list[tuple[Change, float]]:
    """Changes of `service` near `onset` (epoch s) with their closeness 0..1, oldest first.

    Closeness falls by half in about five minutes; a change after the onset is not a cause.
    """
    if onset is None:
        return []
    near = []
    for change in sorted(telemetry.changes, key=lambda c: (c.at, c.id)):
        lead = onset - change.at
        if change.service == service and -AFTER_SECONDS <= lead <= BEFORE_SECONDS:
            near.append((change, math.exp(-max(lead, 0.0) / 450.0)))
    return near


def change_evidence(telemetry: Telemetry, onset: float, own: dict[str, float]) -> list[Evidence]:
    """Changes near `onset`; confidence = closeness x (1/4 + 3/4 own evidence of the service).

    A deploy alone says little: the newest deploy is not guilty for being new.
    """
    found = []
    for change in sorted(telemetry.changes, key=lambda c: (c.at, c.id)):
        lead = onset - change.at
        if change.at > telemetry.as_of or not -AFTER_SECONDS <= lead <= BEFORE_SECONDS:
            continue
        closeness = math.exp(-max(lead, 0.0) / 450.0)
        confidence = closeness * (0.25 + 0.7 * own.get(change.service, 0.0))
        found.append(
            Evidence(
                key=f"change:{change.service}:{change.id}",
                type="change",
                service=change.service,
                signal=change.kind,
                confidence=round(confidence, 4),
                onset_at=change.at,
                baseline=None,
                value=None,
                title=f"{change.service}: {change.title or change.kind}",
                source=change.source,
                details={
                    "change": change.id,
                    "seconds_before_onset": round(lead, 3),
                    "diff": change.diff[:2000],
                },
            )
        )
    return found
