"""The metric queries of one analysis: one range query a signal, all services at once.

Which queries is a matter of profiles: those the data source names, else those whose metrics the
server has, which one request finds out (it leads to the others). Their number depends on the
conventions in use and on overrides in the catalogue, not on how many services there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from correlation.backends.prometheus import PrometheusClient
from correlation.metrics import profiles
from correlation.metrics.answers import read
from correlation.metrics.overrides import Given, overrides, source_rows
from correlation.metrics.profile_detection import (
    cannot_list,
    counted,
    has_data,
    metric_names,
    present,
    remembered,
)
from correlation.metrics.profiles import Profile, ProfileQuery
from correlation.metrics.promql_templates import check_filter, values_of
from correlation.sources import Query, Reply, Scope, Source, grid, http_arguments, windows
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

STEP_SECONDS = 15.0
WINDOW_SECONDS = 60.0
MAX_BYTES = 16_000_000
NO_METRICS = (
    "none of the metrics that query profiles read were found: "
    "name a profile, add one, or give queries"
)


@dataclass(frozen=True)
class Plan:
    """What all queries of one analysis of one source share.

    `window_seconds` is that of rates; `own` are the profiles that services name, `given` the
    queries of single services, `everyones` those that the data source has for all.
    """

    client: PrometheusClient
    source: Source
    scope: Scope
    over: tuple[float, float, float]
    window_seconds: float
    matchers: str
    own: tuple[Profile, ...]
    given: tuple[Given, ...]
    everyones: tuple[ProfileQuery, ...]


def metric_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a Prometheus, by signal; raises ValueError for bad options.

    Each covers baseline and incident window. The rate window is never shorter than the step,
    or samples between two points would be lost.
    """
    plan = _plan(source, scope)
    chosen = named_profiles(source)
    if chosen:
        return _queries(plan, chosen, None)
    names = remembered(_key(plan))
    if names is not None and (known := _detected(plan, names)):
        return known
    # where nothing is to be asked, the reply that has no queries says why
    return {**_given(plan), "profiles": Query(partial(_detect, plan))}


def named_profiles(source: Source) -> list[Profile]:
    """The profiles of the option `profile`: a name or a list, best first; empty to find out."""
    given = source.options.get("profile") or []
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise ValueError("option profile must be a name or a list of names")
    return [profiles.load(name) for name in dict.fromkeys(listed)]


def _plan(source: Source, scope: Scope) -> Plan:
    client = PrometheusClient(
        source.url,
        **http_arguments(source),
        max_bytes=int(source.number("max_bytes", MAX_BYTES)),
    )
    asked = windows(scope)
    over = grid((asked.baseline[0], asked.window[1]), source.number("step_seconds", STEP_SECONDS))
    matchers = source.text("filter", "").strip().rstrip(",")
    try:
        check_filter(matchers)
    except ValueError as error:
        raise ValueError(f"option filter {error}") from None
    window_seconds = max(source.number("window_seconds", WINDOW_SECONDS), over[2])
    own = dict.fromkeys(
        scope.found_as[name].profile for name in _near(scope) if scope.found_as[name].profile
    )
    values = values_of(window_seconds, matchers)
    return Plan(
        client=client,
        source=source,
        scope=scope,
        over=over,
        window_seconds=window_seconds,
        matchers=matchers,
        own=tuple(profiles.load(name) for name in own),
        given=tuple(overrides(scope, _near(scope), values)),
        everyones=tuple(source_rows(source, values)),
    )


def _near(scope: Scope) -> list[str]:
    """The services whose settings in the catalogue matter here, the affected one first."""
    known = [name for name in sorted(scope.found_as) if name != scope.target]
    if scope.services:
        known = [name for name in known if name in scope.services]
    return [name for name in (scope.target,) if name in scope.found_as and name] + known


def _key(plan: Plan) -> tuple[Any, ...]:
    """What decides which metrics there are; incidents of one hour share it."""
    source = plan.source
    hour = int(plan.over[1] // 3600)
    return (source.slug, source.url, tuple(sorted(source.headers.items())), plan.matchers, hour)


def _detect(plan: Plan, deadline: Deadline) -> Reply:
    """Asks which metrics there are, and leads to the queries that read them."""
    known = [profiles.load(name) for name in profiles.names()]
    span = plan.over[:2]
    try:
        names, requests = metric_names(
            _key(plan), plan.client, known, plan.matchers, span, deadline
        )
    except BackendError as error:
        if not cannot_list(error):
            raise
        note = f"the metric names could not be listed ({error.detail}), profile not chosen by them"
        usual = [profiles.load(profiles.DEFAULT_PROFILE)]
        return Reply(notes=(note,), then=_queries(plan, usual, None))
    return Reply(
        then=_detected(plan, names), requests=requests, notes=() if names else (NO_METRICS,)
    )


def _detected(plan: Plan, names: frozenset[str]) -> dict[str, Query]:
    found = present([profiles.load(name) for name in profiles.names()], names)
    return _queries(plan, found, names)


def _queries(
    plan: Plan, chosen: Iterable[Profile], names: frozenset[str] | None
) -> dict[str, Query]:
    """The overrides, then the queries of the profiles in their order.

    A query over metrics that an earlier profile's query reads for the same signal only matters
    where that one leaves services nameless, so it is sent after it, and only then; unless a
    service names its profile.
    """
    own = {one.name: one for one in plan.own}
    asked = _given(plan)
    rows = list(plan.everyones)
    for name, profile in ({one.name: one for one in chosen} | own).items():
        for row in profile.queries(plan.window_seconds, plan.matchers):
            if names is None or name in own or has_data(row, names):
                rows.append(row)
    leading: dict[ProfileQuery, list[ProfileQuery]] = {}
    for row in rows:
        first = [] if row.profile in own else [one for one in leading if _covers(one, row, names)]
        leading.setdefault(first[0] if first else row, []).extend([row] if first else [])
    last = {row.signal: row for row in rows}
    for row, rest in leading.items():
        noted = row is last[row.signal]  # or a later one may say what this one leaves out
        asked[_name(row, asked)] = _query(plan, row, then=tuple(rest), noted=noted)
    return asked


def _given(plan: Plan) -> dict[str, Query]:
    return {given.name: _query(plan, given.row, given.service) for given in plan.given}


def _covers(first: ProfileQuery, row: ProfileQuery, names: frozenset[str] | None) -> bool:
    """Whether `first` reads every metric there is that `row` reads, for the same signal."""
    read = {name for name in row.metrics if names is None or counted(name) in names}
    return first.signal == row.signal and bool(read) and read <= first.metrics


def _name(row: ProfileQuery, taken: Mapping[str, Query]) -> str:
    return row.signal if row.signal not in taken else f"{row.signal} ({row.profile})"


def _query(
    plan: Plan,
    row: ProfileQuery,
    service: str = "",
    then: tuple[ProfileQuery, ...] = (),
    noted: bool = True,
) -> Query:
    key = (row.query, row.service_label, row.peer_label, service, *plan.over)
    return Query(partial(_ask, plan, row, service, then, noted), key)


def _ask(
    plan: Plan,
    row: ProfileQuery,
    service: str,
    then: tuple[ProfileQuery, ...],
    noted: bool,
    deadline: Deadline,
) -> Reply:
    answer = plan.client.query_range(row.query, *plan.over, deadline)
    found = read(answer, row, plan.scope, plan.source.slug, service)
    following = {}
    if then and (found.nameless or not found.series):
        name = f"{row.signal} ({then[0].profile})"
        following = {name: _query(plan, then[0], "", then[1:])}
    notes = found.notes if noted and not following else ()
    return Reply(
        series=found.series,
        dropped=answer.dropped,
        partial=answer.warnings,
        notes=(*notes, *answer.infos),
        then=following,
    )
