"""A way between services that takes far longer than the others, where nothing earlier is known.

Where there were no requests before the incident, none can be compared with what it took. But the
time on the way from caller to callee is of one order within a system: a way that takes many times
what the others take, and most of the requests' time with it, tells of itself. Times that services
are busy differ by nature and say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from correlation.magnitude import hill
from correlation.steps.numbering import Ints
from correlation.steps.onsets import UNANCHORED
from correlation.steps.report import time_evidence
from correlation.steps.spans import Requests
from correlation.steps.time_blame import losses, time_blame
from correlation.steps.times import FEWEST, SMALLEST_SECONDS, Pace, Ways
from correlation.telemetry import Evidence, Floats, Telemetry
from correlation.units import humanised

FEWEST_WAYS = 5
"""Ways needed to tell what is usual among them."""

FEWEST_VALUES = 10

LEAST_SPREAD = 0.5
"""Of the logarithms of the ways' times: a few alike by chance do not make the next one odd."""

NOTICED = 0.1
"""The share of all requests' time that an engineer would call "maybe"."""


@dataclass(frozen=True, eq=False)
class Unlike:
    """The ways without a past, `before` being what is usual among them; how much they count."""

    pace: Pace
    trust: float

    def blame(self) -> dict[str, float]:
        """0..1 by service."""
        return {name: self.trust * worth for name, worth in time_blame(self.pace).items()}

    def evidence(self, telemetry: Telemetry, onset: float, least: float) -> list[Evidence]:
        """What to say of those worth `least` (0..1) or more."""
        lost = losses(self.pace)
        found = []
        for at in np.flatnonzero(self.trust * lost.worth >= least).tolist():
            one, share = self.pace.slower(at), float(lost.seconds[at]) / (lost.total or 1.0)
            told = time_evidence(one, self.trust * float(lost.worth[at]), share, telemetry, onset)
            title = (
                f'{one.service} to {one.peer}: "{one.operation}" takes {humanised(one.now, "s")} '
                f"on the way, {humanised(one.before, 's')} is usual between services; nothing "
                "earlier to compare with"
            )
            found.append(replace(told, title=title))
        return found


def unlike(requests: Requests, onset: float) -> Unlike | None:
    """The ways nobody went before `onset` (epoch s), if they are enough to compare."""
    calling = {(caller, callee[0]) for caller, callee in requests.pairs}
    keys, times = [], []
    for key, (starts, seconds) in requests.times.items():
        before = int(np.searchsorted(starts, onset))
        now = seconds[before:]
        if key[1] and key in calling and before < FEWEST and now.size >= FEWEST_VALUES:
            keys.append(key)
            times.append(now)
    if len(keys) < FEWEST_WAYS:
        return None
    now = np.array([float(np.median(one)) for one in times])
    logs: Floats = np.log(now + SMALLEST_SECONDS)
    middle = float(np.median(logs))
    spread = max(1.4826 * float(np.median(np.abs(logs - middle))), LEAST_SPREAD)
    usual = float(np.exp(middle)) - SMALLEST_SECONDS
    executions: Ints = np.array([one.size for one in times], dtype=np.int64)
    pace = Pace(
        Ways.of(keys),
        np.arange(len(keys), dtype=np.int64),
        (logs - middle) / spread,
        np.full(len(keys), usual),
        now,
        np.zeros(len(keys), dtype=np.int64),
        executions,
    )
    inside = np.zeros(requests.spans.starts.size, dtype=np.bool_)
    inside[requests.spans.calls.children] = True
    whole = float(requests.spans.seconds[~inside & (requests.spans.starts >= onset)].sum())
    share = losses(pace).total / whole if whole > 0.0 else 0.0
    return Unlike(pace, UNANCHORED * hill(share, NOTICED, 2.0))
