"""Ask the source what new queries find, each by the field that it was typed into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from correlation.backends.prometheus import PrometheusClient
from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from slos.burn import HOUR, NOTHING, Events
from slos.definition import Indicator, Latency, Ratio
from slos.evaluating import asking
from slos.evaluating.evaluation import NO_SOURCE, sources_of
from slos.evaluating.questions import Parts, Plan, plan
from slos.models import SLO
from slos.promql import bucket_ends, duration_of

WINDOW_SECONDS = HOUR
DEADLINE_SECONDS = 10.0
NOT_THE_QUERY = (401, 403, 404, 408, 429)
"""Client errors that say nothing of the query."""


@dataclass(frozen=True)
class Looked:
    """What the last hour held for one SLO.

    `source` is the slug that was asked, "" where there is none; `unreachable` says why nothing is
    known. `errors` are the source's own words by field. `missing` are the fields whose query
    found no series. `buckets` are a histogram's (seconds), where none ends at the threshold.
    """

    source: str
    unreachable: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    events: Events = NOTHING
    buckets: tuple[float, ...] = ()


def fields_of(indicator: Indicator) -> tuple[str, str]:
    """The fields that hold the query of the good or bad events, and that of all of them."""
    if isinstance(indicator, Ratio):
        return f"indicator.{'good' if indicator.good else 'bad'}", "indicator.total"
    if isinstance(indicator, Latency):
        return "indicator.seconds", "indicator.histogram"
    return "indicator.query", "indicator.query"


def look(rows: Sequence[SLO], at: float) -> dict[UUID, Looked]:
    """Each SLO's events of the hour before `at` (epoch seconds); rows need not be saved.

    Their definitions have been checked. At most three queries for each distinct shape, and one
    more for a histogram that lacks the bucket; no transaction may be open.
    """
    found: dict[UUID, Looked] = {}
    by_source = sources_of(rows)
    known = DataSource.objects.in_bulk([slug for slug in by_source if slug], field_name="slug")
    for slug, members in by_source.items():
        if slug is None:
            found |= {row.pk: Looked("", unreachable=NO_SOURCE) for row in members}
            continue
        source = source_of(known[slug])
        indicators = {row.pk: row.definition().indicator for row in members}
        if source.closed_because:
            closed = Looked(slug, unreachable=source.closed_because)
            found |= dict.fromkeys(indicators, closed)
        else:
            found |= _look(source, indicators, at)
    return found


def _look(source: Source, indicators: Mapping[UUID, Indicator], at: float) -> dict[UUID, Looked]:
    client, deadline = asking.client_of(source), Deadline(DEADLINE_SECONDS)
    scrape = asking.scrape_seconds(source)
    made = plan(indicators, WINDOW_SECONDS, scrape)
    answers = asking.ask(client, made.asks, at, deadline)
    found: dict[UUID, Looked] = {}
    for key, indicator in indicators.items():
        looked = _one(source, made, key, indicator, answers, scrape)
        if isinstance(indicator, Latency) and looked.missing == {"indicator.seconds"}:
            ends = _buckets(client, indicator, at, deadline)
            looked = Looked(source.slug, missing=looked.missing, events=looked.events, buckets=ends)
        found[key] = looked
    return found


def _one(
    source: Source,
    made: Plan,
    key: UUID,
    indicator: Indicator,
    answers: asking.Asked,
    scrape: float,
) -> Looked:
    parts, (part_field, total_field) = made.parts[key], fields_of(indicator)
    if isinstance(indicator, Latency):
        part_field = "indicator.histogram"  # what the source may say is of the histogram's name
    errors: dict[str, str] = {}
    for part, name in ((parts.part, part_field), (parts.total, total_field)):
        error = answers.errors.get(part.ask)
        if error is not None and not is_of_query(error):
            return Looked(source.slug, unreachable=error.detail)
        if error is not None:
            errors[name] = error.detail
    if errors:
        return Looked(source.slug, errors=errors)
    events = made.events(key, answers.answers, scrape)
    return Looked(source.slug, missing=_missing(parts, indicator, answers), events=events)


def _missing(parts: Parts, indicator: Indicator, answers: asking.Asked) -> frozenset[str]:
    part_field, total_field = fields_of(indicator)
    return frozenset(
        name
        for part, name in ((parts.part, part_field), (parts.total, total_field))
        if part.value not in answers.answers.get(part.ask, {})
    )


def is_of_query(error: BackendError) -> bool:
    """Whether the source refused the query, rather than did not answer."""
    return (
        error.kind == "http"
        and (error.status is None or 400 <= error.status < 500)
        and error.status not in NOT_THE_QUERY
    )


def _buckets(
    client: PrometheusClient, indicator: Latency, at: float, deadline: Deadline
) -> tuple[float, ...]:
    query = bucket_ends(indicator.histogram, duration_of(WINDOW_SECONDS))
    try:
        answer = client.query(query, at, deadline)
    except BackendError:
        return ()  # that there is none is known; which there are is a courtesy
    ends = {float(vector.labels["le"]) for vector in answer.series if "le" in vector.labels}
    return tuple(sorted(end for end in ends if end != float("inf")))
