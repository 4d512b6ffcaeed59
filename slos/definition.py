"""An SLO as it is written down: what counts, how much of it must be good, over which period.

Pure: what forms, OpenSLO files and the API have in common. Queries are PromQL; in a counter
query `{{.window}}` stands for the window (as Sloth writes it), and a plain selector is summed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import promql_parser

from slos.burn import DAY, Policy, never_fires, workbook_policies
from slos.periods import Period, mean_seconds

WINDOW = "{{.window}}"
OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
LONGEST_SECONDS = 400 * DAY
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Wrong(ValueError):
    """What cannot be an SLO; `field` names the part, such as "target" or "indicator.total"."""

    def __init__(self, field: str, why: str) -> None:
        self.field, self.why = field, why
        super().__init__(f"{field}: {why}")


@dataclass(frozen=True)
class Ratio:
    """Good or bad events over all events; exactly one of `good` and `bad` is given."""

    total: str
    good: str = ""
    bad: str = ""


@dataclass(frozen=True)
class Latency:
    """Requests at most `seconds` long over all, from a classic histogram's selector without
    its suffix: `http_request_duration_seconds{service="a"}`."""

    histogram: str
    seconds: float


@dataclass(frozen=True)
class Threshold:
    """Samples of a gauge that stand in `op` (lt, lte, gt, gte) to `value` over all samples."""

    query: str
    op: str
    value: float


Indicator = Ratio | Latency | Threshold


@dataclass(frozen=True)
class Definition:
    """`target` is a share 0 < target < 1; `name` is unique; `data_source` is a slug or ""."""

    name: str
    service: str
    indicator: Indicator
    target: float
    period: Period
    display_name: str = ""
    description: str = ""
    data_source: str = ""
    least_events: float = 1.0
    policies: tuple[Policy, ...] = field(default_factory=workbook_policies)
    labels: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises Wrong for the first part that cannot be."""
        if not NAME.fullmatch(self.name):
            raise Wrong("name", "at most 63 lower-case letters, digits and dashes.")
        if not 0 < self.target < 1:
            raise Wrong("target", "a share above 0 and below 1; 1 leaves no budget to burn.")
        if not 0 <= self.least_events < math.inf:
            raise Wrong("least_events", "a number, not below 0.")
        if mean_seconds(self.period) > LONGEST_SECONDS:
            raise Wrong("period", "at most 400 days: counts are not kept for longer.")
        if self.period.anchor is not None and not 1970 <= self.period.anchor.year <= 2999:
            raise Wrong("anchor", "a time from 1970 to 2999.")
        check_indicator(self.indicator)
        for policy in self.policies:
            check_policy(policy, self.target)


def usual_policies(period: Period, target: float) -> tuple[Policy, ...]:
    """The workbook's policies scaled to the period, less those that could never fire at this
    target and those that look back further than the period."""
    seconds = mean_seconds(period)
    return tuple(
        policy
        for policy in workbook_policies(seconds)
        if policy.long_seconds < seconds and not never_fires(policy, target)
    )


def check_policy(policy: Policy, target: float) -> None:
    """Raises Wrong for one that could never fire or whose windows make no sense."""
    if policy.severity not in ("page", "ticket"):
        raise Wrong("policies", f"severity is page or ticket, not {policy.severity!r}.")
    windows = (policy.short_seconds, policy.long_seconds)
    if not 0 < policy.short_seconds < policy.long_seconds:
        raise Wrong("policies", "the short window is shorter than the long one.")
    if any(seconds % 300 and seconds != 60 for seconds in windows):
        raise Wrong("policies", "a window is one minute, or whole five minutes.")
    if policy.factor <= 0:
        raise Wrong("policies", "a factor is above 0.")
    if never_fires(policy, target):
        worst = 1 / (1 - target)
        raise Wrong(
            "policies",
            f"a burn rate of {policy.factor:g} can never be exceeded: with a target of "
            f"{target:g} it is at most {worst:.4g}.",
        )


def check_indicator(indicator: Indicator) -> None:
    """Raises Wrong for queries that do not parse or do not count."""
    if isinstance(indicator, Ratio):
        if bool(indicator.good) == bool(indicator.bad):
            raise Wrong("indicator", "give either good or bad events, not both.")
        check_counter("indicator.total", indicator.total)
        name = "good" if indicator.good else "bad"
        check_counter(f"indicator.{name}", indicator.good or indicator.bad)
    elif isinstance(indicator, Latency):
        if indicator.seconds <= 0:
            raise Wrong("indicator.seconds", "above 0.")
        selector = selector_of(indicator.histogram)
        if selector is None or not selector.name:
            raise Wrong("indicator.histogram", "a metric name, with matchers or without.")
        if any(matcher.name == "le" for matcher in selector.matchers.matchers):
            raise Wrong("indicator.histogram", "without le: the threshold says it.")
    else:
        if indicator.op not in OPERATORS:
            raise Wrong("indicator.op", f"one of {', '.join(OPERATORS)}.")
        _parsed("indicator.query", indicator.query)


def check_counter(field: str, query: str) -> None:
    """A selector of a counter, or an expression of rates and increases over `{{.window}}`."""
    if not query.strip():
        raise Wrong(field, "a query is needed.")
    if selector_of(query) is not None:
        return
    if WINDOW not in query:
        raise Wrong(field, f"a counter's selector, or an expression with [{WINDOW}] in it.")
    tree = _parsed(field, query.replace(WINDOW, "5m"))
    calls: set[str] = set()

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.Call):
            calls.add(node.func.name)
        return True

    promql_parser.walk(tree, visit)
    counted = calls & {"rate", "increase"}
    if len(counted) != 1:
        raise Wrong(field, "it must count by either rate or increase, throughout.")


def counts_by_rate(query: str) -> bool:
    """Whether an expression gives events a second rather than events."""
    return re.search(r"\brate\s*\(", query) is not None


def selector_of(query: str) -> promql_parser.VectorSelector | None:
    """The query as an instant vector selector, None where it is more than that."""
    try:
        tree = promql_parser.parse(query.strip())
    except ValueError:
        return None
    if not isinstance(tree, promql_parser.VectorSelector):
        return None
    return tree if tree.offset is None and tree.at is None else None


def _parsed(field: str, query: str) -> promql_parser.Expr:
    try:
        return promql_parser.parse(query)
    except ValueError as error:
        raise Wrong(field, f"does not parse: {error}") from None
