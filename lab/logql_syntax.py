"""LogQL read into stages: the subset that the lab evaluates; the rest is refused by name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.logql_tree import (
    Aggregation,
    AnyOf,
    LineFilter,
    LogQLError,
    LogQuery,
    MetricQuery,
    NumberFilter,
    Parse,
    Pick,
    Stage,
    Unsupported,
)
from lab.matchers import Matcher, RegexUnsupportedError

TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    | (?P<range>\[[^\]]*\])
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.]))
    | (?P<word>[A-Za-z_][\w]*)
    | (?P<op>\|=|\|~|\|>|!>|!=|!~|=~|==|>=|<=|[-+*/%^{}(),|=<>])
    | (?P<other>\S)
    )""",
    re.VERBOSE,
)
LINE_OPERATORS = ("|=", "!=", "|~", "!~")
COMPARISONS = ("=", "==", "!=", ">", ">=", "<", "<=")
RANGE_FUNCTIONS = ("count_over_time", "rate", "bytes_rate", "bytes_over_time")
AGGREGATIONS = ("sum", "topk", "bottomk", "min", "max", "avg", "count")
NO_MATCHER = (
    "parse error : queries require at least one regexp or equality matcher that does not have an "
    'empty-compatible value. For instance, app=~".*" does not meet this requirement, but '
    'app=~".+" will'
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_UNITS = {"ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86400e9, "w": 604800e9, "y": 31536e12}


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(query: str) -> LogQuery | MetricQuery:
    """Read a query. Raises LogQLError, whose text is the answer's body."""
    reader = _Reader(query)
    if reader.at("{"):
        found: LogQuery | MetricQuery = reader.log_query()
    elif reader.kind == "word":
        found = reader.metric_query()
    elif reader.kind == "end":
        raise LogQLError("parse error : syntax error: unexpected $end")
    elif reader.kind == "number" or reader.at("("):
        raise Unsupported("an expression of numbers or in parentheses")
    else:
        raise reader.unexpected()
    if reader.kind == "op" and reader.text in ("+", "-", "*", "/", "%", "^", ">", "<", "=="):
        raise Unsupported(f'operator "{reader.text}"')
    if reader.kind == "word" and reader.text in ("or", "and", "unless", "offset"):
        raise Unsupported(f'"{reader.text}"')
    if reader.kind != "end":
        raise reader.unexpected()
    return found


def selector(query: str) -> list[Matcher]:
    """The matchers of a bare stream selector. Raises LogQLError for anything more."""
    found = parse(query)
    if not isinstance(found, LogQuery) or found.stages:
        raise LogQLError("only label matchers are supported")
    return found.matchers


class _Reader:
    def __init__(self, query: str) -> None:
        self.tokens = [
            _Token(str(m.lastgroup), m[m.lastgroup or 0], m.start(m.lastgroup or 0) + 1)
            for m in TOKEN.finditer(query)
        ]
        self.tokens.append(_Token("end", "$end", len(query) + 1))
        self.index = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    @property
    def kind(self) -> str:
        return self.token.kind

    @property
    def text(self) -> str:
        return self.token.text

    def at(self, *texts: str) -> bool:
        return self.kind in ("op", "word") and self.text in texts

    def unexpected(self, expecting: str = "") -> LogQLError:
        names = {"word": "IDENTIFIER", "string": "STRING", "number": "NUMBER", "range": "RANGE"}
        wanted = f", expecting {expecting}" if expecting else ""
        return LogQLError(
            f"parse error at line 1, col {self.token.column}: "
            f"syntax error: unexpected {names.get(self.kind, self.text)}{wanted}"
        )

    def take(self, kind: str = "") -> str:
        if kind and self.kind != kind:
            raise self.unexpected(kind.upper() if kind != "word" else "IDENTIFIER")
        text = self.text
        self.index += 1
        return text

    def expect(self, *texts: str) -> str:
        if not self.at(*texts):
            raise self.unexpected(" or ".join(texts))
        return self.take()

    def string(self) -> str:
        text = self.take("string")
        if text.startswith("`"):
            return text[1:-1]
        escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}

        def unescaped(found: re.Match[str]) -> str:
            if found[1] not in escapes:
                raise LogQLError(f"parse error : invalid escape sequence {found[0]} in string")
            return escapes[found[1]]

        return re.sub(r"\\(.)", unescaped, text[1:-1])

    def names(self) -> tuple[str, ...]:
        found = [self.take("word")]
        while self.at(","):
            self.take()
            found.append(self.take("word"))
        return tuple(found)

    def matcher(self, name: str, op: str) -> Matcher:
        value = self.string()
        try:
            return Matcher(name, op, value)
        except RegexUnsupportedError as error:
            raise Unsupported(f"the regular expression {value!r}") from error
        except re.error as error:
            raise LogQLError(f"parse error : error parsing regexp: {error}: `{value}`") from error

    def log_query(self, range_after: bool = False) -> LogQuery:
        self.expect("{")
        matchers: list[Matcher] = []
        while not self.at("}"):
            name = self.take("word")
            matchers.append(self.matcher(name, self.expect("=", "!=", "=~", "!~")))
            if self.expect("}", ",") == "}":
                self.index -= 1
        self.expect("}")
        if not any(m.op in ("=", "=~") and not m.matches("") for m in matchers):
            raise LogQLError(NO_MATCHER)
        query = LogQuery(matchers)
        while not (range_after and self.kind == "range") and self.at(
            *LINE_OPERATORS, "|", "|>", "!>"
        ):
            query.stages.append(self.stage())
        return query

    def stage(self) -> Stage:
        op = self.take()
        if op in LINE_OPERATORS:
            if self.kind == "word":
                raise Unsupported(f'line filter "{self.text}()"')
            checked = self.matcher("line", "=~" if op in ("|~", "!~") else "=")
            if self.at("or"):
                raise Unsupported('"or" between line filters')
            return LineFilter(op, checked.value)
        if op != "|":
            raise Unsupported(f'pattern filter "{op}"')
        name = self.take("word")
        if name in ("json", "logfmt"):
            if self.kind in ("word", "string") or self.at("-"):
                raise Unsupported(f'"| {name}" with arguments')
            return Parse(name)
        if name in ("keep", "drop"):
            picked = Pick(name == "keep", self.names())
            if self.at("=", "!=", "=~", "!~"):
                raise Unsupported(f'"| {name}" with matchers')
            return picked
        refused = (
            "line_format",
            "label_format",
            "pattern",
            "regexp",
            "unpack",
            "unwrap",
            "decolorize",
        )
        if name in refused:
            raise Unsupported(f'"| {name}"')
        filters = [self.label_filter(name)]
        while self.at("or"):
            self.take()
            filters.append(self.label_filter(self.take("word")))
        if self.at("and", ","):
            raise Unsupported(f'"{self.text}" between label filters')
        return AnyOf(tuple(filters)) if len(filters) > 1 else filters[0]

    def label_filter(self, name: str) -> Matcher | NumberFilter:
        if self.kind == "end":
            raise self.unexpected()
        op = self.expect("=", "==", "!=", "=~", "!~", ">", ">=", "<", "<=")
        found: Matcher | NumberFilter
        if self.kind == "number" and op in COMPARISONS:
            found = NumberFilter(name, op, float(self.take()))
            if self.kind == "word" and self.text not in ("and", "or"):
                raise Unsupported("a label filter on a duration or size")
        elif self.kind == "other" or (self.kind == "word" and self.text[:1].isdigit()):
            raise Unsupported("a label filter on a duration or size")
        elif op in ("=", "!=", "=~", "!~"):
            found = self.matcher(name, op)
        else:
            raise self.unexpected()
        return found

    def metric_query(self) -> MetricQuery:
        name = self.take("word")
        if name in RANGE_FUNCTIONS:
            return self.range_function(name)
        if name not in AGGREGATIONS:
            if self.at("("):
                raise Unsupported(f'function "{name}"')
            raise LogQLError("parse error at line 1, col 1: syntax error: unexpected IDENTIFIER")
        aggregation = Aggregation(name)
        self.grouping(aggregation)
        self.expect("(")
        if name in ("topk", "bottomk"):
            aggregation.parameter = float(self.take("number"))
            self.expect(",")
        if self.at("("):
            raise Unsupported("an expression in parentheses")
        query = self.metric_query()
        if self.kind == "op" and not self.at(")"):
            raise Unsupported(f'operator "{self.text}"')
        self.expect(")")
        self.grouping(aggregation)
        query.aggregations.append(aggregation)
        return query

    def grouping(self, aggregation: Aggregation) -> None:
        if not self.at("by", "without"):
            return
        if aggregation.grouped:
            raise self.unexpected()
        aggregation.without = self.take() == "without"
        aggregation.grouped = True
        self.expect("(")
        if not self.at(")"):
            aggregation.names = list(self.names())
        self.expect(")")

    def range_function(self, name: str) -> MetricQuery:
        self.expect("(")
        logs = self.log_query(range_after=True)
        range_ns = self.range()
        while self.at(*LINE_OPERATORS, "|"):
            logs.stages.append(self.stage())
        if self.at("offset", "@"):
            raise Unsupported(f'"{self.text}"')
        self.expect(")")
        if self.at("by", "without"):
            raise LogQLError(f"parse error : grouping not allowed for {name} aggregation")
        return MetricQuery(name, logs, range_ns)

    def range(self) -> int:
        text = self.take("range")[1:-1].strip()
        if not re.fullmatch(rf"(?:{_DURATION.pattern})+", text):
            raise LogQLError(f'parse error : not a valid duration string: "{text}"')
        total = sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
        if total <= 0:
            raise LogQLError("parse error : duration must be greater than 0")
        return round(total)
