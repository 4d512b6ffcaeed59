"""Aggregation operators: sum, avg, topk and the others, by or without labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lab.promql_vector import (
    ExecutionError,
    Floats,
    LabelKey,
    Labels,
    Mask,
    Unsupported,
    Vector,
    anywhere,
    dropping,
    keeping,
    key_of,
)
from lab.promql_windows import quantile

Fold = Callable[[Floats, Mask], Floats]


def _sum(values: Floats, present: Mask) -> Floats:
    return np.asarray(np.where(present, values, 0.0).sum(axis=0))


def _count(values: Floats, present: Mask) -> Floats:
    return present.sum(axis=0).astype(np.float64)


def _avg(values: Floats, present: Mask) -> Floats:
    return _sum(values, present) / _count(values, present)


def _min(values: Floats, present: Mask) -> Floats:
    return np.asarray(np.fmin.reduce(np.where(present, values, np.nan), axis=0))


def _max(values: Floats, present: Mask) -> Floats:
    return np.asarray(np.fmax.reduce(np.where(present, values, np.nan), axis=0))


def _stdvar(values: Floats, present: Mask) -> Floats:
    centred = np.where(present, values - _avg(values, present), 0.0)
    return (centred * centred).sum(axis=0) / _count(values, present)


FOLDS: dict[str, Fold] = {
    "sum": _sum,
    "count": _count,
    "avg": _avg,
    "min": _min,
    "max": _max,
    "stdvar": _stdvar,
    "stddev": lambda values, present: np.sqrt(_stdvar(values, present)),
    "group": lambda values, present: np.ones(values.shape[1]),
}


def grouping(names: list[str], without: bool) -> Callable[[Labels], Labels]:
    """The labels that a series' group has."""
    if without:
        return lambda labels: dropping(labels, names)
    return lambda labels: keeping(labels, names)


def aggregate(
    op: str, vector: Vector, group_of: Callable[[Labels], Labels], parameter: Floats | None
) -> Vector:
    """Evaluate one aggregation. `parameter` (T,) is topk's k or quantile's rank.

    Raises Unsupported for an operator that the lab does not have.
    """
    groups: dict[LabelKey, list[int]] = {}
    for row, labels in enumerate(vector.labels):
        groups.setdefault(key_of(group_of(labels)), []).append(row)
    if op in ("topk", "bottomk"):
        if parameter is None:
            raise Unsupported(f"{op} without a number")
        return _extremes(vector, list(groups.values()), parameter, largest=op == "topk")
    if op == "quantile" and parameter is not None:
        fold = _quantile_fold(parameter)
    elif op in FOLDS:
        fold = FOLDS[op]
    else:
        raise Unsupported(f'aggregation "{op}"')
    rows = []
    for key, members in groups.items():
        values, present = vector.values[members], vector.present[members]
        rows.append((dict(key), fold(values, present), anywhere(present)))
    return Vector.of_rows(rows, vector.steps)


def _quantile_fold(ranks: Floats) -> Fold:
    def fold(values: Floats, present: Mask) -> Floats:
        columns = range(values.shape[1])
        found = [quantile(float(ranks[t]), values[present[:, t], t]) for t in columns]
        return np.asarray(found, dtype=np.float64)

    return fold


def _extremes(vector: Vector, groups: list[list[int]], limits: Floats, largest: bool) -> Vector:
    """topk and bottomk keep the series' own labels; NaN comes last, ties in storage order."""
    kept = np.zeros(vector.values.shape, dtype=bool)
    for step, limit in enumerate(limits):
        if not -(2.0**63) <= limit < 2.0**63:
            raise ExecutionError(f"Scalar value {limit} overflows int64")
        for members in groups if limit >= 1 else []:
            there = [row for row in members if vector.present[row, step]]
            kept[_ranked(vector, there, step, largest)[: int(limit)], step] = True
    rows = [row for row in range(len(vector.labels)) if kept[row].any()]
    ordered = vector.steps == 1
    if ordered:  # an instant answer is sorted inside each group, groups in order of appearance
        rows = [
            row
            for members in groups
            for row in _ranked(vector, [m for m in members if kept[m, 0]], 0, largest)
        ]
    labels = [vector.labels[row] for row in rows]
    return Vector(labels, vector.values[rows], kept[rows], ordered=ordered)


def _ranked(vector: Vector, rows: list[int], step: int, largest: bool) -> list[int]:
    def rank(row: int) -> tuple[bool, float]:
        value = float(vector.values[row, step])
        return (value != value, -value if largest else value)

    return sorted(rows, key=rank)
