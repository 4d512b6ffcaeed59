"""What the SLOs of an incident's services counted during it and before; asks sources.

Short incidents are asked of the source, in at most three queries for each shape of indicator and
window; from LONGEST_ASKED on the stored five-minute rows are summed instead, in two queries of our
own. What was before the incident is asked once and kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from incidents.models import Service
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from slos.burn import HOUR, Events
from slos.definition import Indicator, Wrong
from slos.evaluating import asking, samples
from slos.evaluating.evaluation import NO_SOURCE, sources_of
from slos.models import SLO

LONGEST_ASKED = 6 * HOUR
LEAD_SECONDS = 300.0
"""What was usual ends this long before the incident began: it may have been noticed late."""
DEADLINE_SECONDS = 15.0
NOTHING = Events(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Counted:
    """Events of one SLO; `source` says where they are from, `error` why there are none."""

    during: Events
    before: Events
    source: str
    error: str = ""


@dataclass(frozen=True)
class Span:
    """From the incident's start to the moment of counting, epoch seconds."""

    start: float
    at: float

    @property
    def seconds(self) -> float:
        return max(self.at - self.start, 0.0)


def count(slos: Sequence[SLO], span: Span, kept: Mapping[str, Any]) -> dict[UUID, Counted]:
    """What each counted; `kept` are the events before, from `keep`, that need no asking."""
    indicators, errors = _indicators(slos)
    by_source = sources_of([slo for slo in slos if slo.pk in indicators])
    rows = DataSource.objects.in_bulk([slug for slug in by_source if slug], field_name="slug")
    known = _known(kept, span.start)
    found: dict[UUID, Counted] = {
        pk: Counted(NOTHING, known.get(pk, NOTHING), "", why) for pk, why in errors.items()
    }
    for slug, members in by_source.items():
        if slug is None:
            found |= {row.pk: Counted(NOTHING, NOTHING, "", NO_SOURCE) for row in members}
            continue
        source, deadline = source_of(rows[slug]), Deadline(DEADLINE_SECONDS)
        mine = {row.pk: indicators[row.pk] for row in members}
        lacking = {pk: one for pk, one in mine.items() if pk not in known}
        before_end = span.start - LEAD_SECONDS
        seconds = settings.IMPACT_BASELINE_SECONDS
        asked = asking.count(source, lacking, [], before_end, seconds, deadline)
        usual = {**known, **asked.pieces}
        during, why, where = _during(source, slug, mine, span, deadline)
        for pk in mine:
            found[pk] = Counted(
                during.get(pk, NOTHING), usual.get(pk, NOTHING), where, why.get(pk, "")
            )
    return found


def keep(counted: Mapping[UUID, Counted], start: float) -> dict[str, Any]:
    """The events before as JSON, for the next time; what was not answered is asked again."""
    return {
        "start": start,
        "before": {
            str(pk): [one.before.good, one.before.total, one.before.present]
            for pk, one in counted.items()
            if one.before.present > 0 and math.isfinite(one.before.good)
        },
    }


def users_now(service: Service, source_slug: str | None, at: float) -> tuple[float | None, str]:
    """(active users, where the number is from) of a service; None where nobody knows.

    A query that answers goes before the catalogue; one that does not is said beside the
    catalogue's number.
    """
    known = None if service.users is None else float(service.users)
    if not service.users_query:
        return known, f"users of {service.slug} in the catalogue"
    if source_slug is None:
        return known, f"users in the catalogue; {NO_SOURCE}"
    source = source_of(DataSource.objects.get(slug=source_slug))
    try:
        answer = asking.client_of(source).query(service.users_query, at, Deadline(DEADLINE_SECONDS))
    except BackendError as error:
        return known, f"users in the catalogue; {source_slug} did not answer: {error.detail}"
    values = [float(vector.values[-1]) for vector in answer.series]
    if not values or not all(math.isfinite(value) and value >= 0 for value in values):
        return known, f"users in the catalogue; {service.users_query} gave no number"
    return sum(values), f"{source_slug}: {service.users_query}"


def usual_source(environment: str) -> str | None:
    """The slug of the Prometheus asked by default in an environment."""
    rows = DataSource.objects.filter(
        kind=DataSource.Kind.PROMETHEUS,
        enabled=True,
        by_default=True,
        environment=environment,
    )
    return rows.order_by("slug").values_list("slug", flat=True).first()


def _during(
    source: Any, slug: str, mine: Mapping[UUID, Indicator], span: Span, deadline: Deadline
) -> tuple[Mapping[UUID, Events], Mapping[UUID, str], str]:
    if span.seconds > LONGEST_ASKED:
        start, end = samples.boundary(span.start), samples.boundary(span.at)
        sums = samples.sums({(start, end): list(mine)})
        found = {pk: sums[pk, end - start] for pk in mine}
        return found, {}, f"five-minute rows from {_clock(start)} to {_clock(end)}"
    seconds = max(math.ceil(span.seconds), asking.scrape_seconds(source))
    counted = asking.count(source, mine, [], span.at, seconds, deadline)
    return counted.pieces, counted.errors, f"{slug}, from {_clock(span.start)} to {_clock(span.at)}"


def _clock(at: float) -> str:
    return f"{samples.when(at):%Y-%m-%d %H:%M:%S} UTC"


def _indicators(slos: Iterable[SLO]) -> tuple[dict[UUID, Indicator], dict[UUID, str]]:
    made: dict[UUID, Indicator] = {}
    errors: dict[UUID, str] = {}
    for slo in slos:
        try:
            made[slo.pk] = slo.definition().indicator
        except Wrong as wrong:
            errors[slo.pk] = str(wrong)
    return made, errors


def _known(kept: Mapping[str, Any], start: float) -> dict[UUID, Events]:
    if kept.get("start") != start:
        return {}
    return {UUID(pk): Events(*values) for pk, values in kept.get("before", {}).items()}
