"""Selectors: which samples an expression reads at each step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import promql_parser as ast

from lab.matchers import Matcher, RegexUnsupportedError
from lab.promql_vector import Floats, Integers, Labels, Mask, Unsupported, Vector
from lab.promql_windows import Windows
from lab.tsdb import Tsdb, is_stale

LOOKBACK_MS = 300_000

_OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def matchers_of(selector: Any) -> list[Matcher]:
    """The matchers of a parsed vector selector. Raises Unsupported."""
    if selector.matchers.or_matchers:
        raise Unsupported('"or" between matchers')
    try:
        found = [
            Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in selector.matchers.matchers
        ]
    except RegexUnsupportedError as error:
        raise Unsupported("a regular expression in the selector") from error
    if selector.name is not None:
        found.append(Matcher("__name__", "=", selector.name))
    return found


def in_ms(duration: timedelta | None) -> int:
    """Milliseconds of a parsed duration; 0 for one that was not written."""
    return 0 if duration is None else round(duration / timedelta(milliseconds=1))


def moments_of(selector: Any, steps: Integers, began: int) -> Integers:
    """The times (ms) that a selector, or a subquery, looks at: the steps, moved by `@` and offset.

    `began` is the first step of the whole query, which `@ start()` means.
    """
    moments = steps
    if selector.at is not None:
        kind = str(selector.at.type)
        if kind == "AtModifierType.At":
            fixed = round(selector.at.at.timestamp() * 1000)
        elif kind == "AtModifierType.Start":
            fixed = began
        else:
            raise Unsupported('"@ end()"')
        moments = np.full(len(steps), fixed, dtype=np.int64)
    return moments - in_ms(selector.offset)


def selected(tsdb: Tsdb, selector: Any, steps: Integers, began: int) -> Vector:
    """An instant selector: the newest sample within the lookback at each step."""
    moments = moments_of(selector, steps, began)
    oldest, newest = int(moments.min()) - LOOKBACK_MS, int(moments.max())
    rows: list[tuple[Labels, Floats, Mask]] = []
    for labels, times, values in tsdb.select_ms(matchers_of(selector), oldest, newest):
        index = np.searchsorted(times, moments, side="right") - 1
        held = np.maximum(index, 0)
        present = (index >= 0) & (times[held] >= moments - LOOKBACK_MS)
        present &= ~is_stale(values)[held]
        if present.any():
            rows.append((labels, values[held], present))
    return Vector.of_rows(rows, len(steps))


def windows_of(
    tsdb: Tsdb, node: ast.MatrixSelector, steps: Integers, began: int
) -> list[tuple[Labels, Windows]]:
    """The samples of a range selector, for each series: (labels, windows)."""
    ends = moments_of(node.vector_selector, steps, began)
    starts = ends - in_ms(node.range)
    matchers = matchers_of(node.vector_selector)
    found = []
    for labels, times, values in tsdb.select_ms(matchers, int(starts.min()), int(ends.max())):
        stale = is_stale(values)
        if stale.any():
            times, values = times[~stale], values[~stale]
        low = np.searchsorted(times, starts, side="left")
        high = np.searchsorted(times, ends, side="right")
        if len(times):
            found.append((labels, Windows(times, values, low, high, starts, ends)))
    return found
