"""What a Loki answered, parsed strictly: log entries, samples, patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from correlation.backends.samples import Vector, read_labels, read_vector
from correlation.telemetry import LogLine, LogPattern
from incidents.outbound.http import HttpSource

TRACE_LABELS = ("trace_id", "traceID", "traceid")
MESSAGE_CHARACTERS = 16_384
MOST_PATTERNS = 500

_TRACE = re.compile(r'\btrace_?id["\']?\s*[=:]\s*["\']?([0-9a-f]{16,32})\b', re.IGNORECASE)


@dataclass(frozen=True)
class LogAnswer:
    """Log lines in time order. `truncated` when the server had `limit` of them, or more."""

    lines: tuple[LogLine, ...]
    truncated: bool
    limit: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MetricAnswer:
    """What a metric query answered; see PrometheusClient's QueryAnswer for the series."""

    result_type: str
    series: tuple[Vector, ...]
    dropped: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One log entry: nanoseconds, text, and its labels with its own metadata among them."""

    at_ns: int
    text: str
    labels: Mapping[str, str]

    def value(self, names: Sequence[str]) -> str:
        """What the first of the labels it carries says, "" without any."""
        return next((self.labels[name] for name in names if self.labels.get(name)), "")

    def line(self, service_labels: Sequence[str], level_labels: Sequence[str]) -> LogLine:
        level = self.value(level_labels).lower()
        found = self.value(TRACE_LABELS)
        if not found and (match := _TRACE.search(self.text)):
            found = match[1].lower()
        return LogLine(
            service=self.value(service_labels),
            at=self.at_ns / 1e9,
            message=self.text.replace("\x00", "")[:MESSAGE_CHARACTERS],
            level="" if level == "unknown" else level,
            trace_id=found,
        )


def read_streams(http: HttpSource, data: Mapping[str, Any], backward: bool) -> list[Entry]:
    """The entries of all streams, merged in time order; Loki groups them by label set."""
    if data.get("resultType") != "streams" or not isinstance(data.get("result"), list):
        http.bad_body("answered something else than log streams")
    entries: list[Entry] = []
    for stream in data["result"]:
        rows = list(_stream(http, stream))
        entries += reversed(rows) if backward else rows
    entries.sort(key=lambda entry: entry.at_ns)
    return entries


def read_metric(http: HttpSource, data: Mapping[str, Any], warnings: Sequence[str]) -> MetricAnswer:
    """A vector, a matrix, or a scalar (whose time is in milliseconds)."""
    kind, result = data.get("resultType"), data.get("result")
    if not isinstance(result, list):
        http.bad_body("answered a metric without a result")
    rows: list[tuple[dict[str, str], Any]] = []
    if kind == "scalar":
        if len(result) != 2 or type(result[0]) not in (int, float):
            http.bad_body('answered a scalar that is not [milliseconds, "value"]')
        rows.append(({}, [[result[0] / 1000, result[1]]]))
    elif kind in ("vector", "matrix"):
        for item in result:
            if not isinstance(item, dict):
                http.bad_body(f"answered a {kind} whose items are not objects")
            pairs = item.get("values") if kind == "matrix" else [item.get("value")]
            rows.append((read_labels(http, item.get("metric")), pairs))
    else:
        http.bad_body("answered something else than a vector, a matrix or a scalar")
    vectors = [read_vector(http, labels, pairs) for labels, pairs in rows]
    return MetricAnswer(
        str(kind),
        tuple(vector for vector, _ in vectors if vector.times.size),
        sum(dropped for _, dropped in vectors),
        tuple(warnings),
    )


def read_patterns(http: HttpSource, data: Any, step: float) -> tuple[LogPattern, ...]:
    """Patterns with their counts; samples are [seconds, number] there, not text."""
    if not isinstance(data, list):
        http.bad_body("answered patterns that are not a list")
    patterns = []
    for item in data[:MOST_PATTERNS]:
        samples = item.get("samples") if isinstance(item, dict) else None
        if not isinstance(samples, list) or not isinstance(item.get("pattern"), str):
            http.bad_body("answered a pattern without its text or samples")
        for sample in samples:
            if (
                not isinstance(sample, list)
                or len(sample) != 2
                or not all(type(number) in (int, float) for number in sample)
            ):
                http.bad_body("answered a pattern's sample that is not [seconds, number]")
        counts = tuple((float(at), int(count)) for at, count in samples)
        patterns.append(LogPattern(item["pattern"], str(item.get("level") or ""), counts, step))
    return tuple(patterns)


def _stream(http: HttpSource, stream: Any) -> Iterator[Entry]:
    """The entries of one stream in the order they came."""
    if not isinstance(stream, dict) or not isinstance(stream.get("values"), list):
        http.bad_body("answered a log stream without values")
    shared = read_labels(http, stream.get("stream"))
    for value in stream["values"]:
        if not isinstance(value, list) or len(value) not in (2, 3):
            http.bad_body("answered a log entry that is not [nanoseconds, line]")
        at, text = value[0], value[1]
        if not isinstance(at, str) or not at.isdecimal() or not isinstance(text, str):
            http.bad_body("answered a log entry that is not [nanoseconds, line]")
        yield Entry(int(at), text, _own(http, shared, value[2:]))


def _own(http: HttpSource, shared: dict[str, str], extra: list[Any]) -> dict[str, str]:
    """The stream's labels and the entry's own (structured metadata, parsed fields)."""
    if not extra:
        return shared
    if not isinstance(extra[0], dict):
        http.bad_body("answered log metadata that are not an object")
    own = {}
    for part in ("structuredMetadata", "parsed"):
        own.update(read_labels(http, extra[0].get(part) or {}))
    return {**own, **shared}
