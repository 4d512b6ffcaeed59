"""The log queries of one analysis: three groups of lines, before and during, six requests.

`errors` are the lines at warning level and above. `unlevelled` are those whose level is not
known or not one of the usual: a database's "LOG: duration: 2345 ms" lives there. `routine` is
info (debug and trace are never asked for), kept small: a sample in which a rare line such as
"pool configured max=10" may show. All ask for the newest lines first, because a flood must not
hide what is newest; the baseline ends where the window begins.

The level filter names one label, option `level_label`: `detected_level` (default) is added by
Loki 3 to every line; set `level` for an older Loki whose streams carry that label.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from correlation.backends.loki import LEVEL_LABELS, SERVICE_LABELS, LokiClient
from correlation.deadline import Deadline
from correlation.sources import Query, Reply, Scope, Source, http_arguments, windows

MAX_BYTES = 16_000_000
BASELINE_SECONDS = 600.0
"""The log baseline is as long as the window, at least this long."""
LIMIT = 2000
MOST_LINES = 5000
"""Loki refuses more lines a query (max_entries_limit_per_query)."""
SELECTOR = '{app=~"$services"}'
LEVEL_LABEL = "detected_level"
SELECTOR_CHARACTERS = 4000

_ERRORS = "warn|warning|error|err|critical|crit|fatal|panic|alert|emerg|emergency|severe"
_ROUTINE = "info|information|informational"
_NEVER = "debug|trace|verbose|fine|finer|finest"
_FILTERS = {
    "errors": f'=~"(?i:{_ERRORS})"',
    "unlevelled": f'!~"(?i:{_ERRORS}|{_ROUTINE}|{_NEVER})"',
    "routine": f'=~"(?i:{_ROUTINE})"',
}
_SHARES = {"errors": 1.0, "unlevelled": 0.5, "routine": 0.25}
"""Lines asked for of each group, as a share of the option `limit`."""


def log_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a Loki, by group and side; raises ValueError for bad options."""
    client = LokiClient(
        source.url,
        **http_arguments(source),
        max_bytes=int(source.number("max_bytes", MAX_BYTES)),
        tenant=source.text("tenant", ""),
        service_labels=source.texts("service_labels", SERVICE_LABELS),
        level_labels=source.texts("level_labels", LEVEL_LABELS),
    )
    baseline, window = log_windows(scope)
    limit = source.number("limit", LIMIT)
    longer = (baseline[1] - baseline[0]) / (window[1] - window[0])
    asks: dict[str, Query] = {}
    for group in _FILTERS:
        query = log_query(source, scope, group)
        lines = max(1.0, limit * _SHARES[group])
        for side, span, most in (
            ("incident", window, lines),
            ("baseline", baseline, lines * longer),
        ):
            name = f"{group} ({side})"
            count = min(MOST_LINES, round(most))
            asks[name] = Query(
                partial(_ask, client, name, query, span, count), (query, span, count)
            )
    return asks


def uncompared(answered: Iterable[str]) -> frozenset[str]:
    """The names among `answered` not to use, as the other side of their group has no answer.

    Lines without a baseline would all look new. Those of `errors` are used all the same: an
    error during the incident is worth seeing, and the source's status says what is missing.
    """
    names = frozenset(answered)
    groups = [group for group in _FILTERS if group != "errors"]
    halves = [{f"{group} (incident)", f"{group} (baseline)"} & names for group in groups]
    return frozenset(name for half in halves if len(half) == 1 for name in half)


def log_windows(scope: Scope) -> tuple[tuple[float, float], tuple[float, float]]:
    """(baseline, window) of the logs; the baseline is shorter than that of the metrics.

    Line limits grow with the length, so a busy service is cut at the same rate on both sides
    and a template does not look new only because less of the past was read.
    """
    asked = windows(scope)
    start, end = asked.window
    length = min(max(end - start, BASELINE_SECONDS), asked.baseline[1] - asked.baseline[0])
    return (start - length, start), (start, end)


def log_query(source: Source, scope: Scope, group: str) -> str:
    """The LogQL of one group of lines over the scope's services."""
    selector = source.text("selector", SELECTOR).replace("$services", _services(scope))
    return f"{selector} | {source.text('level_label', LEVEL_LABEL)}{_FILTERS[group]}"


def _services(scope: Scope) -> str:
    """A regex of the scope's services inside a quoted string; any service when none is known.

    A lone affected service without known dependencies is no neighbourhood: its cause may be
    anywhere, so everything is asked for, as it is when the list is too long to send.
    """
    known = scope.services | {service for edge in scope.edges for service in edge}
    if scope.target:
        known |= {scope.target}
    if len(known) < 2 or (not scope.services and not scope.edges):
        return ".+"
    pattern = "|".join(_quoted(service) for service in sorted(known))
    return pattern if len(pattern) <= SELECTOR_CHARACTERS else ".+"


def _quoted(text: str) -> str:
    """A literal for RE2 within double quotes: metacharacters escaped, then backslashes again."""
    literal = "".join("\\" + c if c in r"\.+*?()|[]{}^$" else c for c in text)
    return literal.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _ask(
    client: LokiClient,
    name: str,
    query: str,
    span: tuple[float, float],
    limit: int,
    deadline: Deadline,
) -> Reply:
    answer = client.lines(query, *span, deadline, limit=limit)
    partial = list(answer.warnings)
    if answer.truncated and not name.startswith("routine"):
        partial.append(f"{name} log lines were cut at the newest {limit}")
    return Reply(lines=answer.lines, partial=tuple(partial))
