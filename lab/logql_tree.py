"""What a LogQL query is made of, once read: selector, stages, range function, aggregations."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.matchers import Matcher, go_regex


class LogQLError(ValueError):
    """The query is answered 400 with this text."""


class Unsupported(LogQLError):
    """Valid LogQL that the lab does not evaluate; the message names the construct."""

    def __init__(self, construct: str) -> None:
        super().__init__(f"parse error : {construct} is not supported by the lab")


@dataclass(frozen=True, slots=True)
class LineFilter:
    """|= != |~ !~ on the line."""

    op: str
    text: str

    def keeps(self, line: str) -> bool:
        """Whether the line passes."""
        if self.op in ("|=", "!="):
            return (self.text in line) == (self.op == "|=")
        return (go_regex(self.text).search(line) is not None) == (self.op == "|~")


@dataclass(frozen=True, slots=True)
class Parse:
    """`| json` or `| logfmt`."""

    format: str


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """A label compared with a number, such as `| status >= 500`."""

    name: str
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Pick:
    """`| keep a, b` or `| drop a, b`."""

    keep: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Label filters joined by `or`."""

    filters: tuple[Matcher | NumberFilter, ...]


Stage = LineFilter | Parse | NumberFilter | Pick | Matcher | AnyOf


@dataclass(slots=True)
class LogQuery:
    """A stream selector and its pipeline."""

    matchers: list[Matcher]
    stages: list[Stage] = field(default_factory=list)


@dataclass(slots=True)
class MetricQuery:
    """One range function over a log query, with the aggregations around it, innermost first."""

    function: str
    logs: LogQuery
    range_ns: int
    aggregations: list[Aggregation] = field(default_factory=list)


@dataclass(slots=True)
class Aggregation:
    """sum by (a), topk(5, ...) and their like."""

    op: str
    names: list[str] = field(default_factory=list)
    without: bool = False
    grouped: bool = False
    parameter: float | None = None
