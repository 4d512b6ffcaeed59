"""Changes as evidence: those that may have to do with the trouble, as the page lists them."""

from __future__ import annotations

import math

from correlation.changes.attribution import Attribution
from correlation.changes.timing import CLOCKS_SECONDS
from correlation.telemetry import Evidence, Telemetry

BEFORE_SECONDS = 600.0
NEARBY = 0.25
"""What being close in time is worth, where the posterior says less: a responder wants to see it."""

LEAST = 0.05
MOST = 12


def change_evidence(telemetry: Telemetry, onset: float, attribution: Attribution) -> list[Evidence]:
    """Changes that came before `onset` (epoch s), likeliest first, MOST at most.

    Confidence is the chance that it did it, or up to NEARBY for one on the way shortly before:
    a deploy is not guilty for being new.
    """
    found = []
    ways = {one.change.id: one for one in attribution.looked_at}
    for change in sorted(telemetry.changes, key=lambda c: (c.at, c.id)):
        way = ways.get(change.id)
        if change.at > telemetry.as_of or (way is None and attribution.looked_at):
            continue
        at = way.landing.at if way else change.at
        lead = onset - at
        if lead < -CLOCKS_SECONDS and not (way and attribution.chances[change.id] >= LEAST):
            continue
        close = math.exp(-max(lead, 0.0) / 450.0) if lead <= BEFORE_SECONDS else 0.0
        confidence = NEARBY * close * (0.2 if way and way.against else 1.0)
        if way is not None:
            confidence = max(confidence, min(0.99, attribution.chances[change.id]))
        if confidence < LEAST:
            continue
        service = change.service or (way.landing.service if way else "")
        named = change.title or change.kind
        details = {
            "change": change.id,
            "seconds_before_onset": round(lead, 3),
            "diff": change.diff[:2000],
        }
        if way is not None and way.landing.carried_by is not None:
            details["carried_by"] = way.landing.carried_by.id
        found.append(
            Evidence(
                key=f"change:{service}:{change.id}",
                type="change",
                service=service,
                signal=change.kind,
                confidence=round(confidence, 4),
                onset_at=at,
                baseline=None,
                value=None,
                title=f"{service}: {named}" if service else named,
                source=change.source,
                details=details,
            )
        )
    found.sort(key=lambda item: (-item.confidence, item.key))
    return found[:MOST]
