"""How an SLO stood over a span, at most so often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from slos.burn import MINUTE
from slos.evaluating.samples import when
from slos.models import SLO, SLOSample, SLOSnapshot

MOST_POINTS = 2000
USUAL_POINTS = 500


@dataclass(frozen=True)
class Counted:
    """Events of the `seconds` before `at` (epoch seconds)."""

    at: float
    seconds: float
    good: float
    total: float


def usual_step(seconds: float) -> float:
    """Whole minutes that give about USUAL_POINTS points of a span."""
    return max(math.ceil(seconds / USUAL_POINTS / MINUTE), 1) * MINUTE


def snapshots(slo: SLO, start: datetime, end: datetime, step: float) -> list[SLOSnapshot]:
    """The last snapshot of each `step` seconds of (start, end], oldest first."""
    rows = SLOSnapshot.objects.filter(slo=slo, at__gt=start, at__lte=end).order_by("at")
    newest: dict[int, int] = {}
    for pk, at in rows.values_list("pk", "at"):
        newest[math.ceil((at - start).total_seconds() / step)] = pk
    return list(SLOSnapshot.objects.filter(pk__in=newest.values()).order_by("at"))


def counts(slo: SLO, start: float, end: float, step: float) -> list[Counted]:
    """The stored events that counted, added up to pieces of `step` seconds (300, 3600 or a
    multiple of them); pieces without any are left out."""
    fine = step % 3600 != 0
    rows = SLOSample.objects.filter(
        slo=slo,
        seconds=300 if fine else 3600,
        excluded=False,
        at__gt=when(start),
        at__lte=when(end),
        consistent=True,
    )
    pieces: dict[float, list[float]] = {}
    for at, good, total in rows.order_by("at").values_list("at", "good", "total"):
        piece = pieces.setdefault(math.ceil(at.timestamp() / step) * step, [0.0, 0.0])
        piece[0] += good
        piece[1] += total
    return [Counted(at, step, good, total) for at, (good, total) in pieces.items()]
