"""When it may have begun: moments near the start of an incident, and how likely each is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from correlation.steps.habits import RECENT_SECONDS
from correlation.steps.times import BLOCK_SECONDS
from correlation.telemetry import Floats, Telemetry

EARLIEST_SECONDS, LATEST_SECONDS, STEP_SECONDS = -150.0, 60.0, 30.0
"""Moments tried, from the noticed start on; multiples of the block of `steps.times`."""

USUAL_SECONDS, SPREAD_SECONDS = -30.0, 150.0
"""Alerts come a little after what they tell of: the further from that, the less likely."""

ANCHORED = 10
"""Requests in the minutes just before that tell a moment from an earlier one."""


UNANCHORED = 0.6
"""Trust in a comparison with another time alone, which may differ for reasons of its own."""


@dataclass(frozen=True)
class Moment:
    """An onset in epoch seconds, with its weight 0..1: 1 for the likeliest."""

    onset: float
    weight: float


def likely_onsets(telemetry: Telemetry, starts: Floats) -> list[Moment]:
    """Moments to try, in time order; `starts` are those of the requests, ascending.

    Without requests just before, all earlier moments are alike: one stands for them, the first
    request of this stretch, if there is another time to compare with. The noticed start when
    nothing can be compared.
    """
    found: list[Moment] = []
    elsewhere = 0.0
    for step in np.arange(EARLIEST_SECONDS, LATEST_SECONDS + 1.0, STEP_SECONDS).tolist():
        onset = telemetry.started_at + step
        if onset > telemetry.as_of - STEP_SECONDS:
            break
        weight = math.exp(-abs(step - USUAL_SECONDS) / SPREAD_SECONDS)
        before = int(np.searchsorted(starts, onset))
        far = int(np.searchsorted(starts, onset - RECENT_SECONDS))
        if before - far >= ANCHORED:
            found.append(Moment(onset, weight))
        elif far >= ANCHORED and before < starts.size:
            elsewhere = max(elsewhere, UNANCHORED * weight)
            blocks = (float(starts[far]) - telemetry.started_at) / BLOCK_SECONDS
            onset = telemetry.started_at + math.floor(blocks) * BLOCK_SECONDS
            found = [Moment(onset, elsewhere)]
    return found or [Moment(telemetry.started_at, 1.0)]
