"""PromQL over the lab's samples, with Prometheus 2.42's answers: the walk over the parsed query.

Windows are closed on both sides and the lookback is five minutes, as in Prometheus 2.x (3.x makes
both left-open). What is not evaluated raises Unsupported: never a wrong number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import promql_parser as ast

from lab import promql_functions as functions
from lab.promql_aggregate import aggregate, grouping
from lab.promql_binary import (
    SET_OPERATORS,
    between_scalars,
    between_vectors,
    matching_of,
    of_sets,
    with_scalar,
)
from lab.promql_histogram import histogram_quantile
from lab.promql_select import in_ms, matchers_of, moments_of, selected, windows_of
from lab.promql_subquery import inner_steps, windows_over
from lab.promql_vector import (
    BadQuery,
    ExecutionError,
    Floats,
    Integers,
    Labels,
    Mask,
    Unsupported,
    Vector,
    key_of,
    merged,
    without_name,
)
from lab.promql_windows import FUNCTIONS, Windows, quantiled
from lab.tsdb import Tsdb

__all__ = ["BadQuery", "ExecutionError", "Unsupported", "instant", "parse", "range_query"]

KEEP_NAME = {"last_over_time"}
Value = Vector | Floats


def parse(query: str) -> Any:
    """The syntax tree of a query. Raises BadQuery."""
    try:
        return ast.parse(query)
    except ValueError as error:
        raise _explained(query, str(error)) from error


def _explained(query: str, message: str) -> BadQuery:
    if message == "no expression found in input":
        return BadQuery(message, 1)
    if message.startswith("unclosed") or message.startswith("unexpected end"):
        return BadQuery(message, len(query) + 1)
    message = message.replace("'", '"')
    for ours, theirs in (
        ("type matrix", "type range vector"),
        ("type vector", "type instant vector"),
    ):
        message = message.replace(ours, theirs)
    message = message.replace("got vector", "got instant vector")
    return BadQuery(message.replace("got matrix", "got range vector"), _column(query, message))


def _column(query: str, message: str) -> int | None:
    """Where a wrongly typed argument starts, when only one call can be meant."""
    named = re.search(r'in call to function "(\w+)"', message)
    calls = list(re.finditer(rf"\b{named[1]}\s*\(\s*", query)) if named else []
    return calls[0].end() + 1 if len(calls) == 1 else None


def instant(tsdb: Tsdb, query: str, at: float) -> list[tuple[Labels, float]]:
    """Evaluate at epoch second `at`: (labels, value) for each series; a scalar has no labels.

    Raises BadQuery (syntax), Unsupported, ExecutionError (as Prometheus' 422).
    """
    value = evaluate(tsdb, parse(query), np.array([round(at * 1000)], dtype=np.int64))
    if not isinstance(value, Vector):
        return [({}, float(value[0]))]
    rows = np.flatnonzero(value.present[:, 0])
    return [(value.labels[row], float(value.values[row, 0])) for row in rows]


def range_query(
    tsdb: Tsdb, query: str, start: float, end: float, step: float
) -> list[tuple[Labels, list[tuple[float, float]]]]:
    """Evaluate at start, start+step, ... up to end (seconds): series sorted by labels, no holes.

    Raises as `instant`; ValueError for a step below a millisecond or an end before the start.
    """
    times = steps_ms(round(start * 1000), round(end * 1000), round(step * 1000))
    return as_matrix(evaluate(tsdb, parse(query), times), times)


def steps_ms(start_ms: int, end_ms: int, step_ms: int) -> Integers:
    """The steps of a range query. Raises ValueError when there are none."""
    if step_ms < 1 or end_ms < start_ms:
        raise ValueError("step must be positive and end must not be before start")
    return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)


def as_matrix(value: Value, times: Integers) -> list[tuple[Labels, list[tuple[float, float]]]]:
    """A range query's answer, series sorted by labels as Prometheus does."""
    vector = value if isinstance(value, Vector) else functions.as_vector(value)
    seconds = times / 1000.0
    answer = []
    for row in sorted(range(len(vector.labels)), key=lambda row: key_of(vector.labels[row])):
        there = vector.present[row]
        if there.any():
            points = zip(seconds[there].tolist(), vector.values[row][there].tolist(), strict=True)
            answer.append((vector.labels[row], list(points)))
    return answer


def evaluate(tsdb: Tsdb, tree: Any, times: Integers) -> Value:
    """Evaluate a parsed query at each of `times` (ms): a Vector, or a scalar's (T,) values."""
    with np.errstate(all="ignore"):
        return _Evaluation(tsdb, times, int(times[0])).value(tree)


def samples(tsdb: Tsdb, tree: Any, times: Integers) -> list[tuple[Labels, Windows]]:
    """What a parsed range selector or subquery holds at each of `times` (ms), by series."""
    with np.errstate(all="ignore"):
        return _Evaluation(tsdb, times, int(times[0])).windows(tree)


@dataclass(slots=True)
class _Evaluation:
    """Of an expression at `times` (ms); `began` is the first step of the whole query."""

    tsdb: Tsdb
    times: Integers
    began: int

    def value(self, node: Any) -> Value:
        match node:
            case ast.ParenExpr():
                return self.value(node.expr)
            case ast.NumberLiteral():
                return np.full(len(self.times), float(node.val))
            case ast.UnaryExpr():
                inner = self.value(node.expr)
                if isinstance(inner, Vector):
                    return functions.mapped(inner, -inner.values)
                return -inner
            case ast.VectorSelector():
                return selected(self.tsdb, node, self.times, self.began)
            case ast.AggregateExpr():
                return self.aggregated(node)
            case ast.BinaryExpr():
                return self.combined(node)
            case ast.Call():
                return self.called(node)
            case ast.MatrixSelector() | ast.SubqueryExpr():
                raise BadQuery('invalid expression type "range vector"')
        raise Unsupported(f"a {type(node).__name__}")

    def vector(self, node: Any) -> Vector:
        value = self.value(node)
        if not isinstance(value, Vector):
            raise BadQuery("expected type instant vector, got scalar")
        return value

    def scalar(self, node: Any) -> Floats:
        value = self.value(node)
        if isinstance(value, Vector):
            raise BadQuery("expected type scalar, got instant vector")
        return value

    def aggregated(self, node: Any) -> Vector:
        op, modifier = str(node.op), node.modifier
        names = list(modifier.labels) if modifier else []
        without = modifier is not None and str(modifier.type) == "AggModifierType.Without"
        if isinstance(node.param, ast.StringLiteral):
            raise Unsupported(f'aggregation "{op}"')
        parameter = None if node.param is None else self.scalar(node.param)
        return aggregate(op, self.vector(node.expr), grouping(names, without), parameter)

    def combined(self, node: Any) -> Value:
        op = str(node.op)
        left, right = self.value(node.lhs), self.value(node.rhs)
        matching = matching_of(node.modifier)
        if not isinstance(left, Vector):
            if not isinstance(right, Vector):
                return between_scalars(op, left, right)
            return with_scalar(op, right, left, True, matching.return_bool)
        if not isinstance(right, Vector):
            return with_scalar(op, left, right, False, matching.return_bool)
        if op in SET_OPERATORS:
            return of_sets(op, left, right, matching)
        return between_vectors(op, left, right, matching)

    def called(self, node: Any) -> Value:
        name, args = node.func.name, list(node.args)
        if name in FUNCTIONS:
            return self.over_time(name, args[0])
        if name == "quantile_over_time":
            return self.over_time(name, args[1], self.scalar(args[0]))
        if name in functions.ELEMENTWISE:
            vector = self.vector(args[0])
            return functions.mapped(vector, functions.ELEMENTWISE[name](vector.values))
        match name:
            case "histogram_quantile":
                return histogram_quantile(self.scalar(args[0]), self.vector(args[1]))
            case "scalar":
                return functions.as_scalar(self.vector(args[0]))
            case "vector":
                return functions.as_vector(self.scalar(args[0]))
            case "time":
                return self.times / 1000.0
            case "round":
                ones = np.ones(len(self.times))
                nearest = self.scalar(args[1]) if len(args) > 1 else ones
                return functions.rounded(self.vector(args[0]), nearest)
            case "clamp":
                low, high = self.scalar(args[1]), self.scalar(args[2])
                return functions.clamped(self.vector(args[0]), low, high)
            case "clamp_min":
                return functions.clamped(self.vector(args[0]), self.scalar(args[1]), None)
            case "clamp_max":
                return functions.clamped(self.vector(args[0]), None, self.scalar(args[1]))
            case "absent":
                return functions.absent(self.vector(args[0]), _absent_labels(args[0]))
            case "absent_over_time":
                counts = self.over_time("count_over_time", args[0])
                return functions.absent(counts, _absent_labels(args[0]))
            case "sort" | "sort_desc":
                return functions.ordered(self.vector(args[0]), descending=name == "sort_desc")
            case "label_replace":
                return functions.label_replace(self.vector(args[0]), *map(_text, args[1:]))
            case "label_join":
                target, separator, *sources = map(_text, args[1:])
                return functions.label_join(self.vector(args[0]), target, separator, sources)
        raise Unsupported(f'function "{name}"')

    def windows(self, node: Any) -> list[tuple[Labels, Windows]]:
        match node:
            case ast.ParenExpr():
                return self.windows(node.expr)
            case ast.MatrixSelector():
                return windows_of(self.tsdb, node, self.times, self.began)
            case ast.SubqueryExpr():
                ends = moments_of(node, self.times, self.began)
                inside = inner_steps(node, ends)
                if not len(inside):
                    return []
                answers = _Evaluation(self.tsdb, inside, self.began).vector(node.expr)
                return windows_over(answers, inside, ends - in_ms(node.range), ends)
        raise BadQuery("expected type range vector")

    def over_time(self, name: str, node: Any, ranks: Floats | None = None) -> Vector:
        rows: list[tuple[Labels, Floats, Mask]] = []
        for labels, windows in self.windows(node):
            if ranks is not None:
                values, present = quantiled(windows, ranks)
            else:
                values, present = FUNCTIONS[name](windows)
            if present.any():
                kept = labels if name in KEEP_NAME else without_name(labels)
                rows.append((kept, values, present))
        return merged(Vector.of_rows(rows, len(self.times)))


def _text(node: Any) -> str:
    if not isinstance(node, ast.StringLiteral):
        raise BadQuery("expected type string")
    return str(node.val)


def _absent_labels(node: Any) -> Labels:
    """The labels that absent() makes up: those that the selector fixes with one equality."""
    while isinstance(node, ast.ParenExpr):
        node = node.expr
    selector = node.vector_selector if isinstance(node, ast.MatrixSelector) else node
    if not isinstance(selector, ast.VectorSelector):
        return {}
    conditions = [m for m in matchers_of(selector) if m.name != "__name__"]
    names = [m.name for m in conditions]
    return {m.name: m.value for m in conditions if m.op == "=" and names.count(m.name) == 1}
