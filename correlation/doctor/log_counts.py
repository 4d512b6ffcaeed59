"""How many log lines every service wrote, by level: counted by the server, not sampled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from correlation.backends.loki import LokiClient
from correlation.logs.labels import Known, LogLabels, labels_in_use, matcher, service_of
from correlation.sources import Scope, Source, http_arguments, windows
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

MOST_NAMES = 200


@dataclass(frozen=True)
class LogCounts:
    """Lines by (raw name of the service, level; "" for none), and the labels that say so."""

    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    service_labels: tuple[str, ...] = ()
    level_labels: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def count_lines(source: Source, scope: Scope, deadline: Deadline) -> LogCounts:
    """Lines of every service within the scope's window; raises BackendError, ValueError.

    Labels are those an analysis would choose; where none names a service of the scope, the
    usual ones, so that what is there can be told.
    """
    client = LokiClient(source.url, **http_arguments(source))
    span = windows(scope).window
    given = source.texts("service_labels", ())[:2]
    level = source.text("level_label", "")
    known = Known(given, "", (level,) if level else ())
    services = sorted(scope.services)[:MOST_NAMES]
    names = tuple(name for one in services for name in scope.names_of(one, "loki"))
    key = (source.slug, source.url, "doctor")
    labels = labels_in_use(key, client, names, known, span, deadline)
    if not labels.service:
        labels = labels_in_use(key, client, (), known, span, deadline)
    lines: Counter[tuple[str, str]] = Counter()
    problems = []
    for place, label in enumerate(labels.service):
        selector = _selector(labels.service, place)
        try:
            lines += _counted(client, selector, label, labels, span, deadline)
        except BackendError as error:
            if error.status is None or error.status >= 500:
                raise
            problems.append(f"lines could not be counted by {label}: {error.detail}")
    return LogCounts(dict(lines), labels.service, labels.levels, tuple(problems))


def _selector(service_labels: tuple[str, ...], place: int) -> str:
    """Every stream with the label; for the second, those that have not the first."""
    own = matcher(service_labels[place], ".+")
    return "{" + ", ".join([own, *(f'{label}=""' for label in service_labels[:place])]) + "}"


def _counted(
    client: LokiClient,
    selector: str,
    label: str,
    labels: LogLabels,
    span: tuple[float, float],
    deadline: Deadline,
) -> Counter[tuple[str, str]]:
    by = ", ".join(dict.fromkeys((label, *labels.levels)))
    seconds = max(1, math.ceil(span[1] - span[0]))
    query = f"sum by ({by}) (count_over_time({selector} [{seconds}s]))"
    found: Counter[tuple[str, str]] = Counter()
    for vector in client.query(query, span[1], deadline).series:
        name = service_of(vector.labels, label)
        level = next((vector.labels[one] for one in labels.levels if vector.labels.get(one)), "")
        level = "" if level.lower() == "unknown" else level.lower()
        if name:
            found[name, level] += round(float(vector.values[-1]))
    return found
