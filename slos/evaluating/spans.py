"""Events of long spans that end at any moment: stored rows, and the row still being counted."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from slos.burn import NOTHING, Events, added
from slos.evaluating import samples
from slos.evaluating.samples import STEP, when
from slos.models import SLOSample


def until(
    starts: Mapping[float, Sequence[UUID]], at: float, pieces: Mapping[UUID, Events]
) -> dict[tuple[UUID, float], Events]:
    """Events by (SLO, start) from each start to `at`, all in epoch seconds.

    `pieces` are the events since the last boundary before `at`; at a boundary they are in its row.
    Of the row in which a start lies, the share after it counts. Four queries at most beside the
    two of each start.
    """
    end = samples.boundary(at)
    whole: dict[float, list[UUID]] = {}
    for start, slos in starts.items():
        whole.setdefault(_first(start, end), []).extend(slos)
    sums = samples.sums({(first, end): list(dict.fromkeys(slos)) for first, slos in whole.items()})
    heads = _heads({start: slos for start, slos in starts.items() if start % STEP})
    left_out = _excluded(list(pieces), at) if at > end else set()
    found: dict[tuple[UUID, float], Events] = {}
    for start, slos in starts.items():
        first = _first(start, end)
        for slo in slos:
            parts = [(sums[slo, end - first], end - first)]
            if start < first:
                parts.append((heads.get((slo, start), NOTHING), first - start))
            if at > end and slo not in left_out:
                parts.append((pieces.get(slo, NOTHING), at - end))
            found[slo, start] = added(parts)
    return found


def _first(start: float, end: float) -> float:
    """The first boundary in the span."""
    return min(math.ceil(start / STEP) * STEP, end)


def _heads(starts: Mapping[float, Collection[UUID]]) -> dict[tuple[UUID, float], Events]:
    """Events by (SLO, start) between a start and the boundary after it: a share of its row."""
    if not starts:
        return {}
    ends = {start: math.ceil(start / STEP) * STEP for start in starts}
    rows = {
        (row.slo_id, row.at.timestamp()): row
        for row in SLOSample.objects.filter(
            slo__in={slo for slos in starts.values() for slo in slos},
            seconds=int(STEP),
            at__in=[when(end) for end in set(ends.values())],
            excluded=False,
        )
    }
    found: dict[tuple[UUID, float], Events] = {}
    for start, slos in starts.items():
        share = (ends[start] - start) / STEP
        for slo in slos:
            row = rows.get((slo, ends[start]))
            if row is not None:
                good = row.good * share if row.consistent else math.nan
                found[slo, start] = Events(good, row.total * share, row.present)
    return found


def _excluded(slos: Collection[UUID], at: float) -> set[UUID]:
    """Those whose row that is being counted at `at` a correction excludes."""
    start, end = when(samples.boundary(at)), when(at)
    return {
        slo
        for slo, spans in samples.exclusions(slos).items()
        if any(start < until and since < end for since, until in spans)
    }
