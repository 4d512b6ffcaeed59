"""What is asked of Prometheus for an SLI, and which SLIs may be asked together. Pure.

Two indicators that differ in one label's value only, `service="a"` and `service="b"`, have one
shape: they are asked as `sum by (service) (increase(x{service=~"a|b"}[5m]))`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import promql_parser

from slos.definition import (
    OPERATORS,
    WINDOW,
    Indicator,
    Latency,
    Ratio,
    counts_by_rate,
    selector_of,
)

VARYING = ("service", "service_name", "app", "job", "destination_service_name", "deployment")
"""Labels whose value may differ within a shape; the first that a selector matches by `=`."""
REMEMBERED = 5000
"""Queries whose parts are known without parsing them again each minute."""
LOOKBACK_SECONDS = 300.0  # how old a sample may be that a Prometheus takes for the value now
BRIDGED_SECONDS = 3600.0  # a gap as long as this loses no event of a counter that went on
EDGE_SECONDS = 0.001
"""What keeps a sample on a window's left edge out of it: Prometheus 2 would count it, 3 not."""
_SUMMED = re.compile(
    r"\s*sum\s*\(\s*(?:rate|increase)\s*\(\s*(.+?)\s*\[\s*\{\{\.window\}\}\s*\]\s*\)\s*\)\s*", re.S
)
OPERATOR_TEXT = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


@dataclass(frozen=True)
class Counter:
    """Events of one kind: a selector summed, or an expression over `{{.window}}`."""

    query: str

    @property
    def selector(self) -> str | None:
        """What is summed: the query, or what stands in sum(rate(...)) or sum(increase(...))."""
        if selector_of(self.query) is not None:
            return self.query.strip()
        inside = _SUMMED.fullmatch(self.query)
        if inside is None or selector_of(inside[1]) is None:
            return None
        return inside[1].strip()

    def count(self, window: str) -> str:
        """Events in the window (a PromQL duration)."""
        if self.selector is not None:
            return f"sum(increase({self.selector}[{window}]))"
        text = self.query.replace(WINDOW, window)
        return f"({text}) * {seconds_of(window):.12g}" if counts_by_rate(self.query) else text

    def exact(self, seconds: float, scrape_seconds: float) -> str:
        """Events of a span (seconds) as its neighbours in time leave them to it: see `_between`.

        An expression is asked for a scrape more than the span, and scaled back.
        """
        if self.selector is not None and not self.selector.startswith("{"):
            return f"sum({_between(self.selector, seconds)})"
        longer, scale = _a_scrape_more(seconds, scrape_seconds)
        return f"({self.count(longer)}) * {scale}"

    def rate(self, window: str) -> str:
        """Events a second over the window."""
        if self.selector is not None:
            return f"sum(rate({self.selector}[{window}]))"
        text = self.query.replace(WINDOW, window)
        return text if counts_by_rate(self.query) else f"({text}) / {seconds_of(window):.12g}"


@dataclass(frozen=True)
class Counters:
    """An indicator as two counters; `bad` says that `part` counts the bad events."""

    part: Counter
    total: Counter
    bad: bool = False


@lru_cache(REMEMBERED)
def counters(indicator: Indicator) -> Counters | None:
    """None for a threshold on a gauge, which has no counters."""
    if isinstance(indicator, Ratio):
        return Counters(
            Counter(indicator.good or indicator.bad),
            Counter(indicator.total),
            bad=bool(indicator.bad),
        )
    if isinstance(indicator, Latency):
        fast = within(indicator.seconds)
        return Counters(
            Counter(_suffixed(indicator.histogram, "_bucket", fast)),
            Counter(_suffixed(indicator.histogram, "_count", "")),
        )
    return None


def within(seconds: float) -> str:
    """The bucket's matcher; whole seconds are written "1" by some clients and "1.0" by others."""
    text = f"{seconds:.12g}"
    return f'le=~"{text}(\\\\.0)?"' if float(seconds).is_integer() else f'le="{text}"'


def bucket_ends(histogram: str, window: str) -> str:
    """The `le` of the buckets that a histogram has had in the window."""
    return f"count by (le) (last_over_time({_suffixed(histogram, '_bucket', '')}[{window}]))"


def samples(query: str, op: str, value: float, window: str, step: str) -> tuple[str, str]:
    """(good, total) samples of a gauge in the window, one every `step`."""
    good = f"sum(sum_over_time((({query}) {OPERATORS[op]} bool {value:.17g})[{window}:{step}]))"
    return good, f"sum(count_over_time(({query})[{window}:{step}]))"


@dataclass(frozen=True)
class Shape:
    """A selector with one label's value taken out; `label` is empty where none may vary."""

    text: str
    label: str


@dataclass(frozen=True)
class Member:
    """One counter's place in a shape: the value of the label that was taken out."""

    shape: Shape
    value: str


@lru_cache(REMEMBERED)
def member(counter: Counter) -> Member:
    """Expressions that are more than a selector are a shape of their own."""
    text = counter.selector
    selector = selector_of(text) if text is not None else None
    if text is None or selector is None or selector.matchers.or_matchers:
        return Member(Shape(text or counter.query, ""), "")
    matchers = selector.matchers.matchers
    for label in VARYING:
        named = [m for m in matchers if m.name == label]
        if len(named) == 1 and OPERATOR_TEXT[str(named[0].op)] == "=":
            rest = sorted(matcher_text(m) for m in matchers if m is not named[0])
            shape = f"{selector.name or ''}{{{','.join(rest)}}}"
            return Member(Shape(shape, label), named[0].value)
    return Member(Shape(text, ""), "")


def grouped(shape: Shape, values: Sequence[str], window: str) -> str:
    """One query for the events of a shape's members; its answer carries `shape.label`."""
    if not shape.label:
        return Counter(shape.text).count(window)
    return f"sum by ({shape.label}) (increase({_chosen(shape, values)}[{window}]))"


def grouped_exact(
    shape: Shape, values: Sequence[str], seconds: float, scrape_seconds: float
) -> str:
    """As `grouped`, of a span (seconds) that is one of many laid end to end."""
    if not shape.label:
        return Counter(shape.text).exact(seconds, scrape_seconds)
    chosen = _chosen(shape, values)
    counted = _between(chosen, seconds)
    if chosen.startswith("{"):  # of many metrics, which a subtraction would confuse
        longer, scale = _a_scrape_more(seconds, scrape_seconds)
        counted = f"increase({chosen}[{longer}]) * {scale}"
    return f"sum by ({shape.label}) ({counted})"


def _a_scrape_more(seconds: float, scrape_seconds: float) -> tuple[str, str]:
    """The window that reaches back to the scrape before the span, and what scales its increase
    to the span again: of a regular counter, exactly."""
    longer = seconds + scrape_seconds - EDGE_SECONDS
    return duration_of(longer), f"{seconds / longer:.12g}"


def _between(selector: str, seconds: float) -> str:
    """What each series counted in a span of `seconds`.

    `increase` sees what happened between the scrapes within its window: windows laid end to end
    would lose what happened between the last scrape of one and the first of the next. So a
    series is read at both ends of the span, as its neighbours read it; after a gap, at its last
    scrape before it. One that was reset or is new is estimated by `increase`.
    """
    window = duration_of(seconds)

    def since(before: str, seen_seconds: float) -> str:
        unbroken = f"resets({selector}[{duration_of(seconds + seen_seconds)}]) == 0"
        return f"{selector} - {before} >= 0 and {unbroken}"

    at_start = since(f"{selector} offset {window}", LOOKBACK_SECONDS)
    if seconds > BRIDGED_SECONDS:
        return f"{at_start} or increase({selector}[{window}])"
    older = f"last_over_time({selector}[{duration_of(BRIDGED_SECONDS)}] offset {window})"
    return f"{at_start} or {since(older, BRIDGED_SECONDS)} or increase({selector}[{window}])"


def scrapes(shape: Shape, values: Sequence[str], window: str) -> str:
    """How many scrapes of the window found the members, by `shape.label`; selectors only."""
    if not shape.label:
        return f"max(count_over_time({shape.text}[{window}]))"
    return f"max by ({shape.label}) (count_over_time({_chosen(shape, values)}[{window}]))"


def _chosen(shape: Shape, values: Sequence[str]) -> str:
    pattern = "|".join(_literal(value) for value in sorted(set(values)))
    comma = "" if shape.text.endswith("{}") else ","
    return f"{shape.text[:-1]}{comma}{shape.label}=~{quoted(pattern)}}}"


def _literal(value: str) -> str:
    """The value as a regular expression that Prometheus sees to be no more than a text, and then
    looks up instead of matching: `re.escape` escapes more."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)


def matcher_text(matcher: promql_parser.Matcher) -> str:
    """`code=~"5.."` as PromQL writes it; the parser's own text does not escape."""
    return f"{matcher.name}{OPERATOR_TEXT[str(matcher.op)]}{quoted(matcher.value)}"


def quoted(text: str) -> str:
    """A PromQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds_of(window: str) -> float:
    """Seconds of a PromQL duration such as "5m" or "1h30m"."""
    return sum(float(n) * _UNITS[u] for n, u in re.findall(r"(\d+)(ms|[smhdw])", window))


def duration_of(seconds: float) -> str:
    """The shortest PromQL duration of one unit: 300 -> "5m", 90 -> "90s"."""
    for unit in ("d", "h", "m", "s"):
        if seconds % _UNITS[unit] == 0:
            return f"{round(seconds / _UNITS[unit])}{unit}"
    return f"{round(seconds * 1000)}ms"


def _suffixed(selector: str, suffix: str, matcher: str) -> str:
    parsed = selector_of(selector)
    if parsed is None:
        raise ValueError(f"{selector!r} is no selector")
    matchers = [matcher_text(m) for m in parsed.matchers.matchers]
    inside = ",".join([*matchers, *([matcher] if matcher else [])])
    return f"{parsed.name}{suffix}{{{inside}}}" if inside else f"{parsed.name}{suffix}"
