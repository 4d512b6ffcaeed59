"""New, vanished and surging log templates: evidence by rate against the baseline.

A template's lines are Poisson counts. With n1 lines in T1 seconds since the onset, n0 in T0
seconds before it and mu = (n0 + 1/2) T1 / T0, Anscombe's transform
z = 2 (sqrt(n1 + 3/8) - sqrt(mu + 3/8)) is about normal. Confidence is
level weight x logistic(z) x Hill(log rate ratio): an error line that is new and frequent is
worth most, an info line that moved a little next to nothing.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter

from correlation.logs.line_joining import joined
from correlation.logs.patterns import fingerprints, fits, normal_level
from correlation.magnitude import hill
from correlation.plots.bucket_counts import Covered, counted_points
from correlation.telemetry import Evidence, LogLine, LogPattern, Telemetry
from correlation.units import digits

LEVEL_WEIGHTS = {"fatal": 1.0, "error": 1.0, "warn": 0.7, "": 0.5, "info": 0.4, "debug": 0.2}
VANISHED_WEIGHT = 0.55
"""A line that stopped says that work stopped, on the culprit and on its victims alike."""

MAX_TEMPLATES = 12
"""Templates kept for one service, strongest first."""

MAX_TITLE_TEMPLATE = 110

CUT = 150
"""From this many lines on, an answer may have been cut at a limit."""

NEW_Z, CHANGED_Z = 2.2, 3.2
"""z worth one half: every known template is tested for a changed rate, so that asks for more."""

NO_BASELINE_CAP = 0.6
"""Highest confidence when no line at all covers the time before the onset."""


def log_evidence(telemetry: Telemetry, onset: float, names: Iterable[str]) -> list[Evidence]:
    """Templates whose rate changed at `onset` (epoch s), strongest first per service.

    `names` are the services of the analysis; details["names"] lists those a template mentions.
    """
    lines = [line for line in telemetry.logs if line.at <= telemetry.as_of]
    if not lines:
        return []
    lines.sort(key=attrgetter("at", "service", "message", "level"))
    covered = _coverage(telemetry, lines, onset)
    lines = joined(lines)
    groups: dict[tuple[str, str], list[tuple[LogLine, str, str]]] = {}
    for line, (template, identity, level) in zip(
        lines, fingerprints([line.message for line in lines]), strict=True
    ):
        level = normal_level(line.level) or level
        groups.setdefault((line.service, identity), []).append((line, template, level))
    mentions = _Mentions(names)
    counted = _pattern_counts(telemetry.log_patterns, groups, onset)
    per_service: dict[str, list[Evidence]] = {}
    for (service, identity), members in groups.items():
        found = _judge(
            telemetry, service, identity, members, onset, covered[_group(members[-1][0])], mentions
        )
        if found is not None:
            if counted.get((service, identity), 0) > found.details["count"]:  # lines were cut
                found.details["pattern_count"] = counted[service, identity]
            per_service.setdefault(service, []).append(found)
    chosen = []
    for service in sorted(per_service):
        ordered = sorted(per_service[service], key=lambda item: (-item.confidence, item.key))
        chosen += ordered[:MAX_TEMPLATES]
    return chosen


def _pattern_counts(
    patterns: Iterable[LogPattern],
    groups: dict[tuple[str, str], list[tuple[LogLine, str, str]]],
    onset: float,
) -> dict[tuple[str, str], int]:
    """Lines since the onset by (service, template id), as the store counted them.

    A template may be several patterns; a pattern that fits two templates counts for neither.
    """
    counts: dict[tuple[str, str], int] = {}
    for pattern in patterns:
        parts = pattern.text.split("<_>")
        fitting = [
            key
            for key, members in groups.items()
            if any(fits(parts, line.message) for line in _spread([m[0] for m in members], 5))
        ]
        if len(fitting) == 1:
            since = sum(n for at, n in pattern.counts if at + pattern.step_seconds > onset)
            counts[fitting[0]] = counts.get(fitting[0], 0) + since
    return counts


def _coverage(telemetry: Telemetry, lines: list[LogLine], onset: float) -> dict[str, Covered]:
    """What the lines cover before and after the onset, by group of levels.

    Stores answer with the newest lines up to a limit, for each group of levels and each side of
    the window apart: with CUT lines or more the oldest one tells where the answer was cut.
    """
    border, end = telemetry.window[0], telemetry.as_of
    start = border - telemetry.log_baseline_seconds
    if telemetry.log_baseline_seconds <= 0.0:
        start = min(border, lines[0].at)
    covered = {}
    by_group: dict[str, list[float]] = {"errors": [], "routine": [], "": []}
    for line in lines:
        by_group[_group(line)].append(line.at)
    for group, times in by_group.items():
        split = bisect_left(times, border)
        older, newer = start, border
        if split >= CUT:
            older = max(start, times[0])
        if len(times) - split >= CUT and split:
            newer = max(border, times[split])
        before = max(border - older, 0.0) + max(onset - newer, 0.0)
        covered[group] = Covered(before, max(end - max(onset, newer), 1.0), older, newer)
    return covered


def _group(line: LogLine) -> str:
    level = normal_level(line.level)
    if level in ("warn", "error", "fatal"):
        return "errors"
    return "routine" if level else ""


def _judge(
    telemetry: Telemetry,
    service: str,
    identity: str,
    members: list[tuple[LogLine, str, str]],
    onset: float,
    covered: Covered,
    mentions: _Mentions,
) -> Evidence | None:
    _, template, level = members[-1]
    before_seconds, after_seconds = covered.before_seconds, covered.after_seconds
    since = [line for line, _, _ in members if line.at >= onset]
    n1, n0 = len(since), len(members) - len(since)
    known = before_seconds >= min(after_seconds, 30.0)
    longer = after_seconds / before_seconds if before_seconds else 0.0
    expected = n0 * longer + 0.5 * after_seconds / max(before_seconds, after_seconds, 60.0)
    wider = math.sqrt(max(1.0, longer)) if n0 else 1.0
    z = 2.0 * (math.sqrt(n1 + 0.375) - math.sqrt(expected + 0.375)) / wider
    weight = LEVEL_WEIGHTS.get(level, 0.3)
    if z < 0.0:
        expected = n0 * longer
        z = 2.0 * (math.sqrt(expected + 0.375) - math.sqrt(n1 + 0.375)) / wider
        change, weight = "vanished" if n1 == 0 else "fading", VANISHED_WEIGHT
    else:
        change = "new" if n0 == 0 else "surging"
    rate, usual = n1 / after_seconds, n0 / before_seconds if before_seconds else 0.0
    ratio = (
        math.log((n1 + 0.5) / (expected + 0.5))
        if n1 >= expected
        else math.log((expected + 0.5) / (n1 + 0.5))
    )
    centre = NEW_Z if change == "new" else CHANGED_Z
    sure = 1.0 / (1.0 + math.exp(-(z - centre) / 0.5))
    confidence = weight * sure * hill(ratio, 0.9, 2.0)
    if not known:
        confidence = min(confidence, NO_BASELINE_CAP) if weight >= 1.0 else 0.0
    if confidence < 0.15:
        return None
    first = since[0].at if since else onset
    lines = since or [line for line, _, _ in members]
    return Evidence(
        key=f"log:{service}:{identity}",
        type="log",
        service=service,
        signal="log_template",
        confidence=round(min(confidence, 0.99), 4),
        onset_at=first if change in ("new", "surging") else onset,
        baseline=round(usual, 6),
        value=round(rate, 6),
        title=_title(service, change, template, rate, usual if before_seconds else None),
        unit="1/s",
        direction="up" if change in ("new", "surging") else "down",
        source=telemetry.log_source,
        query=telemetry.log_query,
        details={
            "template": template,
            "template_id": identity,
            "change": change,
            "level": level,
            "count": n1,
            "count_baseline": n0,
            "rate": round(rate, 6),
            "rate_baseline": round(usual, 6),
            "window_seconds": round(after_seconds, 3),
            "baseline_seconds": round(before_seconds, 3),
            "effect": round(z, 3),
            "samples": [line.message[:1000] for line in _spread(lines, 3)],
            "names": mentions.of(service, [line.message for line in _spread(lines, 3)]),
            **counted_points([line.at for line, _, _ in members], telemetry, covered),
        },
    )


def _title(service: str, change: str, template: str, rate: float, usual: float | None) -> str:
    """`shop: new log pattern "it broke" (12/min, none before)`; rates in lines a second."""
    shape = " ".join(template.split())
    if len(shape) > MAX_TITLE_TEMPLATE:
        shape = shape[: MAX_TITLE_TEMPLATE - 3] + "..."
    now = f"{_a_minute(rate)} now" if change in ("vanished", "fading") else _a_minute(rate)
    before = "before not known" if usual is None else f"{_a_minute(usual)} before"
    return f'{service}: {change} log pattern "{shape}" ({now}, {before})'


def _a_minute(rate: float) -> str:
    return f"{digits(rate * 60.0, 2)}/min" if rate > 0.0 else "none"


def _spread(lines: list[LogLine], count: int) -> list[LogLine]:
    """First, middle and last: samples that show the range of values."""
    if len(lines) <= count:
        return lines
    return [lines[round(i * (len(lines) - 1) / (count - 1))] for i in range(count)]


class _Mentions:
    """Which of the known services a line names, as a word or as a host."""

    def __init__(self, names: Iterable[str]) -> None:
        self._spellings: dict[str, str] = {}
        for name in sorted(set(names)):
            self._spellings[name.lower()] = name
            joined = re.sub(r"[^a-z0-9]", "", name.lower())
            if len(joined) >= 5:
                self._spellings.setdefault(joined, name)
                self._spellings.setdefault(re.sub(r"[^a-z0-9]", "_", name.lower()), name)
        words = sorted(self._spellings, key=lambda word: (-len(word), word))
        self._pattern = (
            re.compile(
                r"(?<![a-z0-9])(" + "|".join(re.escape(word) for word in words) + r")(?![a-z0-9])"
            )
            if words
            else None
        )

    def of(self, service: str, messages: list[str]) -> list[str]:
        found: set[str] = set()
        if self._pattern is not None:
            for message in messages:
                found.update(self._pattern.findall(message.lower()))
        return sorted({self._spellings[word] for word in found} - {service})
