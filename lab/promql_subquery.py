"""Subqueries: an expression evaluated at steps of its own, whose answers a range function reads.

As promql/engine.go of Prometheus 2.42 does it: the steps are multiples of the subquery's step,
whenever the query itself is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lab.promql_select import in_ms
from lab.promql_vector import ExecutionError, Integers, Labels, Vector
from lab.promql_windows import Windows

USUAL_STEP_MS = 60_000
"""Of `[5m:]`: the evaluation interval of a Prometheus that was not told another."""
MAX_STEPS = 100_000
"""A Prometheus refuses 50 million samples; the lab has less memory to spare."""


def inner_steps(subquery: Any, ends: Integers) -> Integers:
    """The times (ms) at which its expression is evaluated, for windows that end at `ends`.

    Raises ExecutionError where they are too many.
    """
    step = USUAL_STEP_MS if subquery.step is None else in_ms(subquery.step)
    first = int(ends.min()) - in_ms(subquery.range)
    aligned = -(-first // step) * step
    last = int(ends.max())
    if (last - aligned) // step >= MAX_STEPS:
        raise ExecutionError(
            "query processing would load too many samples into memory in query execution"
        )
    return np.arange(aligned, last + 1, step, dtype=np.int64)


def windows_over(
    answers: Vector, times: Integers, starts: Integers, ends: Integers
) -> list[tuple[Labels, Windows]]:
    """The answers at `times` (ms) as the samples of windows, for each series that has any."""
    found = []
    for labels, values, present in zip(
        answers.labels, answers.values, answers.present, strict=True
    ):
        there = times[present]
        low = np.searchsorted(there, starts, side="left")
        high = np.searchsorted(there, ends, side="right")
        if len(there):
            found.append((labels, Windows(there, values[present], low, high, starts, ends)))
    return found
