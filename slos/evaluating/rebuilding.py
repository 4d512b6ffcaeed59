"""Snapshots of the past from stored rows: how an SLO stood when nobody looked."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from slos.burn import MINUTE, Events, Status
from slos.definition import Definition
from slos.evaluating import samples
from slos.evaluating.evaluation import period_start
from slos.evaluating.questions import SHORT_WINDOWS
from slos.evaluating.samples import STEP
from slos.evaluating.standing import Standing, judgement_json, long_windows, stand
from slos.models import SLO, SLOSample, SLOSnapshot

WINDOWS = tuple(window for window in SHORT_WINDOWS if window > MINUTE)
"""The one-minute window cannot be told from five-minute rows."""


class Counts:
    """Running sums of one SLO's five-minute rows, so that any window is two look-ups.

    Times are epoch seconds on five-minute boundaries.
    """

    def __init__(self, slo: SLO, start: float, end: float) -> None:
        self._start = start
        size = round((end - start) / STEP) + 1
        columns = np.zeros((4, size))  # good, total, present, excluded
        broken = np.zeros(size)
        rows = SLOSample.objects.filter(
            slo=slo,
            seconds=int(STEP),
            at__gt=samples.when(start),
            at__lte=samples.when(end),
        )
        for row in rows.iterator(chunk_size=5000):
            index = round((row.at.timestamp() - start) / STEP)
            if row.excluded:
                columns[3, index] = 1
                continue
            columns[:3, index] = row.good, row.total, row.present
            broken[index] = not row.consistent
        self._sums = np.cumsum(columns, axis=1)
        self._broken = np.cumsum(broken)

    def events(self, start: float, end: float) -> Events:
        """Events after `start`, up to and including `end`."""
        low = max(round((start - self._start) / STEP), 0)
        high = round((end - self._start) / STEP)
        good, total, there, excluded = (self._sums[:, high] - self._sums[:, low]).tolist()
        counted = (end - start) / STEP - excluded
        present = min(there / counted, 1.0) if counted > 0 else 0.0
        broken = self._broken[high] > self._broken[low]
        return Events(math.nan if broken and good <= total else good, total, present)


def rebuild(slo: SLO, start: float, end: float) -> int:
    """Write the snapshots of the span, one each five minutes, that are not there yet; how many.

    Hysteresis begins anew at its start. Raises Wrong for an SLO whose columns say nothing.
    """
    definition = slo.definition()
    first, last = samples.boundary(start) + STEP, samples.boundary(end)
    if first > last:
        return 0
    there = SLOSnapshot.objects.filter(
        slo=slo, at__gte=samples.when(first), at__lte=samples.when(last)
    )
    known = {at.timestamp() for at in there.values_list("at", flat=True)}
    made = [
        _snapshot(slo, standing, at)
        for at, standing in _standings(slo, definition, first, last)
        if at not in known
    ]
    SLOSnapshot.objects.bulk_create(made, batch_size=500, ignore_conflicts=True)
    return len(made)


def _standings(
    slo: SLO, definition: Definition, first: float, last: float
) -> Iterator[tuple[float, Standing]]:
    longest = max(*long_windows(definition), first - period_start(definition, first))
    counts = Counts(slo, samples.boundary(first - longest), last)
    before: Status | None = None
    fired: list[dict[str, object]] = []
    for number in range(round((last - first) / STEP) + 1):
        at = first + number * STEP
        windows = {
            window: counts.events(at - window, at)
            for window in (*WINDOWS, *long_windows(definition))
        }
        period = counts.events(period_start(definition, at), at)
        if not any(events.present for events in (*windows.values(), period)):
            continue  # before its history
        standing = stand(
            definition,
            windows,
            period,
            passed=definition.period.passed(at),
            before=before,
            firing_before=fired,
        )
        before = standing.status
        fired = [judgement_json(judgement) for judgement in standing.judgements]
        yield at, standing


def _snapshot(slo: SLO, standing: Standing, at: float) -> SLOSnapshot:
    return SLOSnapshot(
        slo=slo,
        at=samples.when(at),
        status=standing.status.value,
        quality=standing.quality.value,
        sli=standing.sli,
        budget_remaining=standing.budget_remaining,
        burn_rates=dict(standing.burn_rates),
    )
