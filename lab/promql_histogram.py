"""histogram_quantile over classic buckets (promql/quantile.go of Prometheus 2.42)."""

from __future__ import annotations

import numpy as np

from lab.promql_vector import (
    Floats,
    LabelKey,
    Labels,
    Unsupported,
    Vector,
    anywhere,
    dropping,
    key_of,
)


def _bound(labels: Labels) -> float | None:
    try:
        return float(labels.get("le", ""))
    except ValueError:
        return None


def histogram_quantile(ranks: Floats, vector: Vector) -> Vector:
    """Quantile for each group of buckets; `ranks` is (T,).

    Series without a number in `le` drop out. A histogram without its +Inf bucket, or
    without observations, gives NaN.
    """
    groups: dict[LabelKey, list[tuple[float, int]]] = {}
    for row, labels in enumerate(vector.labels):
        bound = _bound(labels)
        if bound is not None:
            groups.setdefault(key_of(dropping(labels, ["le"])), []).append((bound, row))
    rows = []
    for key, buckets in groups.items():
        members = [row for _, row in sorted(buckets)]
        bounds = np.array([bound for bound, _ in sorted(buckets)])
        present = vector.present[members]
        values = np.full(vector.steps, np.nan)
        # Buckets may come and go: steps that have the same ones are answered together.
        patterns, which = np.unique(present, axis=1, return_inverse=True)
        for number in range(patterns.shape[1]):
            held, steps = patterns[:, number], np.flatnonzero(which.ravel() == number)
            if held.any():
                counts = vector.values[members][held][:, steps]
                values[steps] = _quantiles(ranks[steps], bounds[held], counts)
        rows.append((dict(key), values, anywhere(present)))
    return Vector.of_rows(rows, vector.steps)


def _quantiles(ranks: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Quantiles (T,) of cumulative bucket counts (B, T) whose upper bounds (B,) ascend."""
    steps = counts.shape[1]
    if np.isnan(counts).any():
        raise Unsupported("histogram_quantile over bucket counts that are NaN")
    answer = np.full(steps, np.nan)
    if np.isposinf(bounds[-1]):
        firsts = np.concatenate([[True], bounds[1:] != bounds[:-1]])
        if not firsts.all():  # the same bound written in two ways
            counts = np.add.reduceat(counts, np.flatnonzero(firsts), axis=0)
            bounds = bounds[firsts]
        if len(bounds) >= 2:
            answer = _interpolated(ranks, bounds, np.maximum.accumulate(counts, axis=0))
    answer = np.where(ranks < 0, -np.inf, answer)
    answer = np.where(ranks > 1, np.inf, answer)
    return np.where(np.isnan(ranks), np.nan, answer)


def _interpolated(ranks: Floats, bounds: Floats, counts: Floats) -> Floats:
    steps = np.arange(counts.shape[1])
    total = counts[-1]
    rank = ranks * total
    reached = counts[:-1] >= rank
    bucket = np.where(reached.any(axis=0), reached.argmax(axis=0), len(bounds) - 1)
    below = np.maximum(bucket - 1, 0)
    start = np.where(bucket > 0, bounds[below], 0.0)
    before = np.where(bucket > 0, counts[below, steps], 0.0)
    inside = counts[bucket, steps] - before
    found = start + (bounds[bucket] - start) * ((rank - before) / inside)
    found = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], found)
    found = np.where(bucket == len(bounds) - 1, bounds[-2], found)
    return np.asarray(np.where(total == 0, np.nan, found))
