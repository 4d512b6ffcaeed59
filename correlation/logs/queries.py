"""The log queries of one analysis: which labels this Loki uses, then everything at once.

Three groups of lines, before and during. `errors` are the lines at warning level and above.
`unlevelled` are those whose level is not known or not one of the usual: a database's
"LOG: duration: 2345 ms" lives there. `routine` is info (debug and trace are never asked for),
kept small: a sample in which a rare line such as "pool configured max=10" may show. All ask for
the newest lines first, because a flood must not hide what is newest; the baseline ends where
the window begins. Lines are cut at a limit, so one metric query counts the error lines of every
service, and `/patterns`, where the server has it, counts the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from correlation.backends.loki import LEVEL_LABELS, SERVICE_LABELS, LokiClient
from correlation.logs.labels import (
    SERVICE_CANDIDATES,
    Known,
    LogLabels,
    labels_in_use,
    matcher,
    quoted,
)
from correlation.logs.replies import ask_counts, ask_lines, ask_patterns
from correlation.sources import Query, Reply, Scope, Source, http_arguments, windows
from incidents.outbound.deadline import Deadline

MAX_BYTES = 16_000_000
BASELINE_SECONDS = 600.0
"""The log baseline is as long as the window, at least this long."""
LIMIT = 2000
MOST_LINES = 5000
"""Loki refuses more lines a query (max_entries_limit_per_query)."""
STEP_SECONDS = 10.0
MOST_POINTS = 500
SELECTOR_CHARACTERS = 4000
LABELS = "labels"

_ERRORS = "error|err|critical|crit|fatal|panic|alert|emerg|emergency|severe"
_WARNINGS = "warn|warning"
_ROUTINE = "info|information|informational"
_NEVER = "debug|trace|verbose|fine|finer|finest"
_GROUPS = {
    "errors": ("=~", f"{_WARNINGS}|{_ERRORS}"),
    "unlevelled": ("!~", f"{_WARNINGS}|{_ERRORS}|{_ROUTINE}|{_NEVER}"),
    "routine": ("=~", _ROUTINE),
}
_SHARES = {"errors": 1.0, "unlevelled": 0.5, "routine": 0.25}
"""Lines asked for of each group, as a share of the option `limit`."""
_ERROR_WORDS = r"|~ `(?i)\b(?:error|exception|critical|fatal|panic|severe|emerg)\b`"
_WARNING_WORDS = (
    r"`(?i)\b(?:warn|warning|error|err|exception|critical|crit|fatal|panic|severe|emerg)\b`"
)
"""Where no line carries a level, its words have to do."""

_SIDES = ("incident", "baseline")


def log_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a Loki, by name; raises ValueError for bad options.

    Options that name selector (or labels of the service) and level are sent as they are;
    otherwise the first query finds the labels and leads to the others.
    """
    client = LokiClient(
        source.url,
        **http_arguments(source),
        max_bytes=int(source.number("max_bytes", MAX_BYTES)),
        service_labels=source.texts("service_labels", SERVICE_LABELS),
        level_labels=source.texts("level_labels", LEVEL_LABELS),
    )
    numbers = source.number("limit", LIMIT), source.number("step_seconds", STEP_SECONDS)
    level = source.text("level_label", "")
    names = tuple(_names(scope))
    pattern = _pattern(scope, names)
    known = Known(
        source.texts("service_labels", ())[:2],
        source.text("selector", "").replace("$services", pattern),
        (level,) if level else (),
        pattern == ".+",
    )
    if known.complete:
        return _queries(source, scope, client, LogLabels(known.service, known.levels), known)
    before, during = log_windows(scope)
    span = (before[0], during[1])
    ask = partial(_ask_labels, source, scope, client, names, known, span)
    return {LABELS: Query(ask, (LABELS, names, known, span, numbers))}


def uncompared(answered: Iterable[str]) -> frozenset[str]:
    """The names among `answered` not to use, as the other side of their group has no answer.

    Lines without a baseline would all look new. Those of `errors` are used all the same: an
    error during the incident is worth seeing, and the source's status says what is missing.
    """
    names = frozenset(answered)
    lone = set()
    for name in names:
        group, _, side = name.removesuffix(")").rpartition(" (")
        if side in _SIDES and not group.startswith("errors"):
            other = _SIDES[1 - _SIDES.index(side)]
            lone |= {name} - ({name} if f"{group} ({other})" in names else set())
    return frozenset(lone)


def log_windows(scope: Scope) -> tuple[tuple[float, float], tuple[float, float]]:
    """(baseline, window) of the logs; the baseline is shorter than that of the metrics.

    Line limits grow with the length, so a busy service is cut at the same rate on both sides
    and a template does not look new only because less of the past was read.
    """
    asked = windows(scope)
    start, end = asked.window
    length = min(max(end - start, BASELINE_SECONDS), asked.baseline[1] - asked.baseline[0])
    return (start - length, start), (start, end)


def error_query(source: Source, scope: Scope, replies: Mapping[str, Reply]) -> str:
    """The LogQL by which this analysis asked for error lines; "" when it asked for none."""
    led_to = replies[LABELS].then if LABELS in replies else log_queries(source, scope)
    asked = led_to.get("errors (incident)")
    return str(asked.key[0]) if asked is not None and isinstance(asked.key, tuple) else ""


def _ask_labels(
    source: Source,
    scope: Scope,
    client: LokiClient,
    names: tuple[str, ...],
    known: Known,
    span: tuple[float, float],
    deadline: Deadline,
) -> Reply:
    tenant = source.headers.get("X-Scope-OrgID", "")
    key = (source.slug, source.url, tenant, repr(sorted(source.options.items())))
    found = labels_in_use(key, client, names, known, span, deadline)
    if not found.service and not known.selector:
        what = f"a stream of {_listed(names)}" if names else "any stream"
        tried = f"no label names {what} (tried {_listed(SERVICE_CANDIDATES)})"
        return Reply(notes=(tried,), requests=found.requests)
    return Reply(requests=found.requests, then=_queries(source, scope, client, found, known))


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _queries(
    source: Source, scope: Scope, client: LokiClient, labels: LogLabels, known: Known
) -> dict[str, Query]:
    """The queries once it is known how to ask: lines, counts, patterns."""
    before, during = log_windows(scope)
    limit = source.number("limit", LIMIT)
    longer = (before[1] - before[0]) / (during[1] - during[0])
    queries: dict[str, Query] = {}
    for place, (label, selector) in enumerate(_selectors(scope, labels, known).items()):
        mine = client.reading(
            (label, *client.service_labels) if label else client.service_labels,
            (*client.level_labels, *labels.levels),
        )
        counted = (label,) if label else client.service_labels[:3]
        by = f" by {label}" if place else ""
        for group, pipeline in _pipelines(labels.levels).items():
            query = f"{selector} {pipeline}"
            most = max(1.0, limit * _SHARES[group])
            for side, span, lines in zip(
                _SIDES, (during, before), (most, most * longer), strict=True
            ):
                name = f"{group}{by} ({side})"
                count = min(MOST_LINES, round(lines))
                queries[name] = Query(
                    partial(ask_lines, mine, scope, label, name, query, span, count),
                    (query, span, count),
                )
        step = source.number("step_seconds", STEP_SECONDS)
        over = _grid((before[0], during[1]), step)
        query = (
            f"sum by ({', '.join(counted)}) "
            f"(count_over_time({selector} {_errors_only(labels.levels)} [{over[2]:g}s]))"
        )
        queries[f"error counts{by}"] = Query(
            partial(ask_counts, client, scope, query, over, counted, source.slug),
            (query, over),
        )
        if not place:
            bucket = max(10.0, math.ceil((during[1] - during[0]) / 1000.0) * 10.0)
            queries["patterns"] = Query(
                partial(ask_patterns, client, selector, during, bucket),
                ("patterns", selector, during),
            )
    return queries


def _selectors(scope: Scope, labels: LogLabels, known: Known) -> dict[str, str]:
    """Stream selectors by the label they ask for, "" for the one that an option gives."""
    if known.selector:
        return {"": known.selector}
    names = _names(scope)
    pattern = _pattern(scope, names)
    first = labels.service[0]
    found = {first: "{" + matcher(first, pattern) + "}"}
    for second in labels.service[1:2]:
        if pattern == ".+":
            others = f'{first}=""'
        else:
            others = matcher(first, pattern).replace("=~", "!~", 1)
            pattern = "|".join(map(quoted, labels.rest)) or pattern
        found[second] = "{" + f"{matcher(second, pattern)}, {others}" + "}"
    return found


def _pipelines(levels: Sequence[str]) -> dict[str, str]:
    """The filter of each group of lines: by the labels that hold levels, else by words."""
    if not levels:
        return {"errors": f"|~ {_WARNING_WORDS}", "unlevelled": f"!~ {_WARNING_WORDS}"}
    found = {group: _filter(levels, op, words) for group, (op, words) in _GROUPS.items()}
    if len(levels) > 1:  # labels may disagree: no line is asked for twice
        found["routine"] += " " + _filter(levels, "!~", _GROUPS["errors"][1])
    return found


def _errors_only(levels: Sequence[str]) -> str:
    return _filter(levels, "=~", _ERRORS) if levels else _ERROR_WORDS


def _filter(levels: Sequence[str], op: str, words: str) -> str:
    """Any of the labels is one of the words; with !~ none of them is."""
    tests = [f'{level}{op}"(?i:{words})"' for level in levels]
    return "| " + (" or " if op == "=~" else " | ").join(tests)


def _names(scope: Scope) -> list[str]:
    """What Loki may call the scope's services, the affected one first; empty: not known."""
    known = scope.services | {service for edge in scope.edges for service in edge}
    first = [scope.target] if scope.target else []
    services = [*first, *sorted(known - set(first))]
    names = [name for service in services for name in scope.names_of(service, "loki")]
    return list(dict.fromkeys(names))


def _pattern(scope: Scope, names: Sequence[str]) -> str:
    """A regex of the names inside a quoted string; any service when none is known.

    A lone affected service without known dependencies is no neighbourhood: its cause may be
    anywhere, so everything is asked for, as it is when the list is too long to send.
    """
    known = {*scope.services, *(service for edge in scope.edges for service in edge)}
    if len(known | ({scope.target} if scope.target else set())) < 2 or not known:
        return ".+"
    pattern = "|".join(quoted(name) for name in sorted(names))
    return pattern if len(pattern) <= SELECTOR_CHARACTERS else ".+"


def _grid(span: tuple[float, float], step: float) -> tuple[float, float, float]:
    """(first, last, step): a point counts the step before it, and lies on a multiple of it."""
    step = math.ceil(step * max(1, math.ceil((span[1] - span[0]) / step / MOST_POINTS)))
    first = math.ceil(span[0] / step) * step
    return float(first), float(max(first, math.floor(span[1] / step) * step)), float(step)
