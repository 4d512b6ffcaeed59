"""The stored five-minute rows: written once, rolled up by the hour, summed over long windows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, Sum

from slos.burn import HOUR, MINUTE, Events
from slos.models import SLOCorrection, SLOSample

STEP = 5 * MINUTE
BATCH = 500


@dataclass(frozen=True)
class Row:
    """Events of the five minutes that end at `at` (epoch seconds, a multiple of STEP)."""

    slo: UUID
    at: float
    events: Events


def boundary(at: float) -> float:
    """The end of the last whole five minutes."""
    return math.floor(at / STEP) * STEP


def store(rows: Iterable[Row]) -> int:
    """Write rows that are not there yet and roll their hours up; how many were new.

    What is stored is not counted again: a second pass, or a second process, changes nothing.
    """
    given = [row for row in rows if row.events.present > 0]
    if not given:
        return 0
    with transaction.atomic():
        before = _existing(given)
        new = [row for row in given if (row.slo, row.at) not in before]
        excluded = exclusions({row.slo for row in new})
        SLOSample.objects.bulk_create(
            [_made(row, excluded.get(row.slo, ())) for row in new],
            batch_size=BATCH,
            ignore_conflicts=True,
        )
        roll_up({(row.slo, hour_of(row.at)) for row in new})
    return len(new)


def piece_seconds(at: float) -> float:
    """How much of the row that is being counted has passed: at a boundary all of it."""
    return at - boundary(at) or STEP


def hour_of(at: float) -> float:
    """The end of the hour that a row belongs to."""
    return math.ceil(at / HOUR) * HOUR


def roll_up(hours: Collection[tuple[UUID, float]]) -> None:
    """Write the sums of these hours (SLO, end) anew from their five-minute rows."""
    if not hours:
        return
    slos = {slo for slo, _ in hours}
    ends = sorted({end for _, end in hours})
    found: dict[tuple[UUID, float], SLOSample] = {}
    rows = SLOSample.objects.filter(
        slo__in=slos, seconds=int(STEP), at__gt=when(ends[0] - HOUR), at__lte=when(ends[-1])
    )
    for row in rows.iterator(chunk_size=2000):
        key = (row.slo_id, hour_of(row.at.timestamp()))
        if key not in hours:
            continue
        total = found.setdefault(key, _empty_hour(*key))
        if row.excluded:
            total.counted_seconds -= row.seconds
            continue
        total.good += row.good
        total.total += row.total
        total.present += row.present * STEP / HOUR
        total.consistent = total.consistent and row.consistent
    SLOSample.objects.bulk_create(
        found.values(),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["slo", "seconds", "at"],
        update_fields=["good", "total", "present", "counted_seconds", "consistent"],
    )


def sums(windows: Mapping[tuple[float, float], Sequence[UUID]]) -> dict[tuple[UUID, float], Events]:
    """Events by (SLO, length in seconds) of windows (start, end), both multiples of STEP.

    Two queries a window: whole hours, and the five-minute rows at its ends. `present` is the
    share of the window that has samples, less what corrections exclude.
    """
    found: dict[tuple[UUID, float], Events] = {}
    for (start, end), slos in windows.items():
        first, last = math.ceil(start / HOUR) * HOUR, math.floor(end / HOUR) * HOUR
        if first < last:
            edges = Q(at__gt=when(start), at__lte=when(first)) | Q(
                at__gt=when(last), at__lte=when(end)
            )
            parts = [
                Q(seconds=int(HOUR), at__gt=when(first), at__lte=when(last)),
                Q(seconds=int(STEP)) & edges,
            ]
        else:
            parts = [Q(seconds=int(STEP), at__gt=when(start), at__lte=when(end))]
        tallies: dict[UUID, _Tally] = {slo: _Tally() for slo in slos}
        for part in parts:
            for line in _summed(part, slos):
                tallies[line["slo"]].add(line)
        for slo, tally in tallies.items():
            found[slo, end - start] = tally.events(end - start)
    return found


@dataclass
class _Tally:
    good: float = 0.0
    total: float = 0.0
    there: float = 0.0
    excluded: float = 0.0
    broken: int = 0

    def add(self, line: Mapping[str, Any]) -> None:
        self.good += line["goods"] or 0.0
        self.total += line["totals"] or 0.0
        self.there += line["there"] or 0.0
        self.excluded += line["left_out"] or 0.0
        self.broken += int(line["broken"])

    def events(self, seconds: float) -> Events:
        counted = seconds - self.excluded
        present = min(self.there / counted, 1.0) if counted > 0 else 0.0
        good = math.nan if self.broken and self.good <= self.total else self.good
        return Events(good, self.total, present)


def _summed(part: Q, slos: Sequence[UUID]) -> Iterable[Any]:
    counts = Q(excluded=False)
    return (
        SLOSample.objects.filter(part, slo__in=slos)
        .values("slo")
        .annotate(
            goods=Sum("good", filter=counts),
            totals=Sum("total", filter=counts),
            there=Sum(F("present") * F("seconds"), filter=counts),
            left_out=Sum(F("seconds") - F("counted_seconds")),
            broken=Count("id", filter=counts & Q(consistent=False)),
        )
    )


def when(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _existing(rows: Sequence[Row]) -> set[tuple[UUID, float]]:
    times = [row.at for row in rows]
    there = SLOSample.objects.filter(
        slo__in={row.slo for row in rows},
        seconds=int(STEP),
        at__range=(when(min(times)), when(max(times))),
    )
    return {(slo, at.timestamp()) for slo, at in there.values_list("slo_id", "at")}


def exclusions(slos: Collection[UUID]) -> dict[UUID, list[tuple[datetime, datetime]]]:
    """The spans that corrections in force leave out, by SLO."""
    found: dict[UUID, list[tuple[datetime, datetime]]] = {}
    for correction in SLOCorrection.objects.filter(slo__in=slos, withdrawn_at=None):
        span = (correction.starts_at, correction.ends_at)
        found.setdefault(correction.slo_id, []).append(span)
    return found


def _made(row: Row, excluded: Iterable[tuple[datetime, datetime]]) -> SLOSample:
    at, events = when(row.at), row.events
    begins = at - timedelta(seconds=STEP)
    out = any(begins < end and start < at for start, end in excluded)
    finite = math.isfinite(events.good) and math.isfinite(events.total)
    return SLOSample(
        slo_id=row.slo,
        at=at,
        seconds=int(STEP),
        good=events.good if finite else 0.0,
        total=events.total if finite else 0.0,
        present=min(events.present, 1.0),
        counted_seconds=0 if out else int(STEP),
        consistent=events.quality != "inconsistent",
        excluded=out,
    )


def _empty_hour(slo: UUID, end: float) -> SLOSample:
    return SLOSample(
        slo_id=slo,
        at=when(end),
        seconds=int(HOUR),
        good=0.0,
        total=0.0,
        present=0.0,
        counted_seconds=int(HOUR),
    )


def exclude(slo: UUID, starts_at: datetime, ends_at: datetime) -> None:
    """Mark the rows that the corrections of an SLO touch in this span, and roll up anew."""
    with transaction.atomic():
        spans = exclusions({slo}).get(slo, [])
        rows = SLOSample.objects.filter(
            slo=slo,
            seconds=int(STEP),
            at__gt=starts_at,
            at__lt=ends_at + timedelta(seconds=STEP),
        )
        touched = []
        for row in rows:
            begins = row.at - timedelta(seconds=STEP)
            row.excluded = any(begins < end and start < row.at for start, end in spans)
            row.counted_seconds = 0 if row.excluded else int(STEP)
            touched.append(row)
        SLOSample.objects.bulk_update(touched, ["excluded", "counted_seconds"], batch_size=BATCH)
        roll_up({(slo, hour_of(row.at.timestamp())) for row in touched})
