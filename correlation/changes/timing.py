"""What the time between a change and the trouble says: too late, at once, or after a while."""

from __future__ import annotations

import math
from collections.abc import Sequence

CLOCKS_SECONDS = 30.0
"""A change recorded this much after the onset may still be its cause: clocks and onsets err."""

TOO_LATE = -6.0
"""Log-odds where all that moved had moved before the change came."""

FIRST_SHARE = 0.15
"""The trouble began when this share of what moved had moved: one odd signal does not say so."""


def time_odds(
    at: float, onsets: Sequence[tuple[float, float, float]], delayed: bool
) -> tuple[float, float | None, bool]:
    """Log-odds of a change that came at `at` (epoch s), seconds to the trouble, whether too late.

    `onsets` are (epoch s, give or take s, weight), earliest first; without any, time says
    nothing. `delayed` is for what breaks slowly: leaks, caches that empty.
    """
    total = sum(weight for _, _, weight in onsets)
    if not total:
        return 0.0, None, False
    late = 0.0
    begun, left = onsets[-1][0], FIRST_SHARE * total
    for onset, unsure, weight in onsets:
        if at > onset + max(unsure, CLOCKS_SECONDS):
            late += weight / total
        elif left > 0.0:
            left -= weight
            begun = onset
    lead = begun - at
    return TOO_LATE * late + _patience(max(lead, 0.0), delayed), lead, late >= 0.5


def _patience(lead_seconds: float, delayed: bool) -> float:
    """What breaks at once is seen within minutes of a rollout; the rest takes its time."""
    at_once = 1.2 - 0.9 * math.log1p(lead_seconds / 120.0)
    return max(at_once, 0.6 - 0.35 * math.log1p(lead_seconds / 300.0)) if delayed else at_once
