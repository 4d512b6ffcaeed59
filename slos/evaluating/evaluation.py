"""One pass over all SLOs: ask, store the five-minute rows, judge, write down how each stands."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from incidents.models import NumberSequence
from slos.breaches import alerting, following
from slos.burn import MINUTE, Events, Quality, Status
from slos.definition import Definition, Wrong
from slos.evaluating import asking, samples, spans
from slos.evaluating.questions import SHORT_WINDOWS
from slos.evaluating.standing import Standing, judgement_json, long_windows, stand
from slos.models import SLO, SLOSnapshot

logger = logging.getLogger("studio.slos")
NO_SOURCE = "No Prometheus is asked by default in this service's environment."


@dataclass(frozen=True)
class Pass:
    """What one pass did: SLOs evaluated and failed, queries sent, rows stored."""

    at: float
    evaluated: int
    failed: int
    queries: int
    stored: int


@dataclass(frozen=True)
class Asked:
    """What the sources said of the SLOs: events by window, or why there are none."""

    events: Mapping[UUID, Mapping[float, Events]]
    pieces: Mapping[UUID, Events]
    errors: Mapping[UUID, str]
    queries: int


def minute(at: float) -> float:
    return math.floor(at / MINUTE) * MINUTE


def evaluate(at: float, slos: Iterable[SLO] | None = None) -> Pass:
    """Evaluate all enabled SLOs (or those given) as of the whole minute before `at`.

    No transaction is open while sources are asked. A failure of one SLO, or of one source, is
    written on the SLOs it concerns and keeps no other from being evaluated.
    """
    at = minute(at)
    rows = list(SLO.objects.filter(enabled=True) if slos is None else slos)
    rows = list(
        SLO.objects.filter(pk__in=[row.pk for row in rows]).select_related("service", "data_source")
    )
    definitions, errors = _definitions(rows)
    asked = _ask([row for row in rows if row.pk in definitions], definitions, at)
    errors |= asked.errors
    stored = samples.store(_due(asked.pieces, at))
    long = _long(definitions, asked.pieces, at)
    standings = {
        pk: _standing(row, definitions[pk], asked.events[pk], long, at)
        for row in rows
        if (pk := row.pk) in asked.events
    }
    _write(rows, standings, errors, at)
    return Pass(at, len(standings), len(errors), asked.queries, stored)


def sources_of(rows: Sequence[SLO]) -> dict[str | None, list[SLO]]:
    """The SLOs by the slug of the data source they are asked of; None where there is none."""
    usual: dict[str, str] = {}
    found = DataSource.objects.filter(
        kind=DataSource.Kind.PROMETHEUS, enabled=True, by_default=True
    ).order_by("slug")
    for environment, slug in found.values_list("environment", "slug"):
        usual.setdefault(environment, slug)
    by_source: dict[str | None, list[SLO]] = {}
    for row in rows:
        named = row.data_source.slug if row.data_source is not None else None
        by_source.setdefault(named or usual.get(row.service.environment), []).append(row)
    return by_source


def _definitions(rows: Sequence[SLO]) -> tuple[dict[UUID, Definition], dict[UUID, str]]:
    made: dict[UUID, Definition] = {}
    errors: dict[UUID, str] = {}
    for row in rows:
        try:
            made[row.pk] = row.definition()
        except Wrong as wrong:
            errors[row.pk] = str(wrong)
    return made, errors


def _ask(rows: Sequence[SLO], definitions: Mapping[UUID, Definition], at: float) -> Asked:
    events: dict[UUID, Mapping[float, Events]] = {}
    pieces: dict[UUID, Events] = {}
    errors: dict[UUID, str] = {}
    queries = 0
    by_source = sources_of(rows)
    found = DataSource.objects.in_bulk([slug for slug in by_source if slug], field_name="slug")
    for slug, members in by_source.items():
        if slug is None:
            errors |= {row.pk: NO_SOURCE for row in members}
            continue
        indicators = {row.pk: definitions[row.pk].indicator for row in members}
        counted = asking.count(
            source_of(found[slug]), indicators, SHORT_WINDOWS, at, samples.piece_seconds(at)
        )
        events |= counted.events
        pieces |= counted.pieces
        errors |= counted.errors
        queries += counted.queries
    return Asked(events, pieces, errors, queries)


def _due(pieces: Mapping[UUID, Events], at: float) -> list[samples.Row]:
    """The rows of a five-minute boundary, when `at` is one."""
    if samples.boundary(at) != at:
        return []
    return [samples.Row(pk, at, found) for pk, found in pieces.items()]


def _long(
    definitions: Mapping[UUID, Definition], pieces: Mapping[UUID, Events], at: float
) -> dict[tuple[UUID, float], Events]:
    """Events since the start of the long windows and of each SLO's period, by (SLO, start)."""
    starts: dict[float, list[UUID]] = {}
    for pk in pieces:
        slo = definitions[pk]
        begins = {at - seconds for seconds in long_windows(slo)} | {slo.period.bounds(at)[0]}
        for start in begins:
            starts.setdefault(start, []).append(pk)
    return spans.until(starts, at, pieces)


def period_start(slo: Definition, at: float) -> float:
    """The first five-minute boundary in the period of a moment that is one itself."""
    end = samples.boundary(at)
    start, _ = slo.period.bounds(at)
    if slo.period.rolling:
        start = end - slo.period.seconds(at)
    return min(math.ceil(start / samples.STEP) * samples.STEP, end)


def _standing(
    row: SLO,
    slo: Definition,
    events: Mapping[float, Events],
    since: Mapping[tuple[UUID, float], Events],
    at: float,
) -> Standing:
    long = {window: since[row.pk, at - window] for window in long_windows(slo)}
    period = since[row.pk, slo.period.bounds(at)[0]]
    before = Status(row.status) if row.evaluated_at is not None else None
    return stand(
        slo,
        {**events, **long},
        period,
        passed=slo.period.passed(at),
        before=before,
        firing_before=row.judgements,
    )


def _write(
    rows: Sequence[SLO],
    standings: Mapping[UUID, Standing],
    errors: Mapping[UUID, str],
    at: float,
) -> None:
    """Columns, snapshots, breaches and their alerts in one transaction; an older pass never
    overwrites a newer one."""
    moment = samples.when(at)
    with transaction.atomic():
        NumberSequence.lock("slo-evaluation")
        standing = SLO.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
        newest = dict(standing.select_for_update().values_list("pk", "evaluated_at"))
        changed: list[SLO] = []
        for row in rows:
            then = newest.get(row.pk)
            if row.pk not in newest or (then is not None and then > moment):
                continue
            if row.pk in standings:
                _stood(row, standings[row.pk], moment)
            elif row.pk in errors:
                _failed(row, errors[row.pk], moment)
            else:
                continue
            changed.append(row)
        # they are there and locked: all of them conflict. bulk_update takes ten times as long
        SLO.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["id"], update_fields=SLO.COMPUTED
        )
        followed = following.follow([row for row in changed if row.pk in standings], moment)
        alerting.tell(followed.begun, followed.ended)
        SLOSnapshot.objects.bulk_create(
            [_snapshot(row, moment) for row in changed], ignore_conflicts=True
        )


def _stood(row: SLO, standing: Standing, moment: Any) -> None:
    if row.status != standing.status.value or row.status_since is None:
        row.status, row.status_since = standing.status.value, moment
    row.quality = standing.quality.value
    row.sli, row.budget_remaining = standing.sli, standing.budget_remaining
    row.burn_rates = dict(standing.burn_rates)
    row.judgements = [judgement_json(judgement) for judgement in standing.judgements]
    start, end = row.definition().period.bounds(moment.timestamp())
    row.covered_seconds = standing.covered * (min(end, moment.timestamp()) - start)
    row.evaluated_at, row.error, row.failed_at = moment, "", None


def _failed(row: SLO, error: str, moment: Any) -> None:
    """What was known stays; that it is old, and why, is said beside it."""
    row.quality = Quality.FAILED.value
    row.evaluated_at, row.error = moment, error
    row.failed_at = row.failed_at or timezone.now()
    logger.warning("SLO %s could not be evaluated: %s", row.name, error)


def _snapshot(row: SLO, moment: Any) -> SLOSnapshot:
    failed = bool(row.error)
    return SLOSnapshot(
        slo=row,
        at=moment,
        status=row.status,
        quality=row.quality,
        sli=None if failed else row.sli,
        budget_remaining=None if failed else row.budget_remaining,
        burn_rates={} if failed else row.burn_rates,
        error=row.error,
    )
