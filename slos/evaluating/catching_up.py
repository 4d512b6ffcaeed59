"""Rows that no pass wrote, because nothing ran or no source answered then."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Max, Q

from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from slos.burn import DAY, HOUR
from slos.definition import Definition, Wrong
from slos.evaluating import history, samples
from slos.evaluating.evaluation import sources_of
from slos.models import SLO, SLOSample
from slos.sloth_rules import period_seconds

logger = logging.getLogger("studio.slos")
CATCH_UP_SECONDS = 6 * HOUR
MOST_SECONDS = 92 * DAY
NEW_SECONDS = 900.0


def catch_up(at: float, only: Iterable[SLO] | None = None) -> int:
    """Fill the gap between the newest row of each enabled SLO (or of those given) and `at`; how
    many rows were new.

    An SLO without any row gets the history of its period, as far as its source has it; a gap
    longer than six hours is filled from its end, the rest by `manage.py backfill_slos`.
    """
    end = samples.boundary(at)
    chosen = Q(enabled=True) if only is None else Q(pk__in=[row.pk for row in only])
    rows = list(SLO.objects.filter(chosen).select_related("service", "data_source"))
    newest = dict(
        SLOSample.objects.filter(slo__in=rows, seconds=int(samples.STEP))
        .values_list("slo")
        .annotate(Max("at"))
    )
    stored = 0
    by_source = sources_of(rows)
    found = DataSource.objects.in_bulk([slug for slug in by_source if slug], field_name="slug")
    for slug, members in by_source.items():
        if slug is None:
            continue
        source = source_of(found[slug])
        by_start: dict[float, dict[UUID, Definition]] = {}
        for row in members:
            try:
                slo = row.definition()
            except Wrong:
                continue  # its evaluation says so
            last = newest.get(row.pk)
            if row.created_at.timestamp() > at - NEW_SECONDS:  # also when a pass came first
                start = end - min(period_seconds(slo), MOST_SECONDS)
            elif last is not None:
                start = max(last.timestamp(), end - CATCH_UP_SECONDS)
            else:  # its source has never had anything: do not ask for all of it again and again
                start = end - CATCH_UP_SECONDS
            if start < end:
                by_start.setdefault(start, {})[row.pk] = slo
        for start, slos in by_start.items():
            indicators = {pk: slo.indicator for pk, slo in slos.items()}
            try:
                stored += history.fill(source, indicators, start, end)
            except history.Unanswered as error:
                logger.warning("SLO history of %s was not answered: %s", slug, error)
    return stored
