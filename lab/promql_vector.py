"""What PromQL expressions evaluate to: series by steps, with a mask for holes.

Shapes: T steps, S series. `values` and `present` are (S, T); a scalar is (T,). NaN is a value like
any other; only `present` says that a series has no sample at a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = dict[str, str]
LabelKey = tuple[tuple[str, str], ...]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


class BadQuery(ValueError):
    """The query is not valid PromQL. `column` counts from 1, None when it is not known."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


class Unsupported(BadQuery):
    """Valid PromQL that the lab does not evaluate; the message names the construct."""

    def __init__(self, construct: str) -> None:
        super().__init__(f"{construct} is not supported by the lab")


class ExecutionError(ValueError):
    """The query failed on these samples, as it would in Prometheus (HTTP 422)."""


@dataclass(slots=True)
class Vector:
    """An instant vector at each of T steps. `ordered`: rows are in the order to answer in."""

    labels: list[Labels]
    values: Floats
    present: Mask
    ordered: bool = False

    @classmethod
    def empty(cls, steps: int) -> Vector:
        """No series at all."""
        return cls([], np.empty((0, steps)), np.empty((0, steps), dtype=bool))

    @classmethod
    def of_rows(cls, rows: list[tuple[Labels, Floats, Mask]], steps: int) -> Vector:
        """Stack rows of (labels, values (T,), present (T,))."""
        if not rows:
            return cls.empty(steps)
        return cls(
            [labels for labels, _, _ in rows],
            np.stack([values for _, values, _ in rows]),
            np.stack([present for _, _, present in rows]),
        )

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return int(self.values.shape[1])


def anywhere(present: Mask) -> Mask:
    """At which steps at least one of the rows (S, T) has a sample: (T,)."""
    return np.asarray(present.any(axis=0), dtype=np.bool_)


def key_of(labels: Labels) -> LabelKey:
    """Labels as a sorted tuple: equality and Prometheus' order of series."""
    return tuple(sorted(labels.items()))


def show(labels: Labels) -> str:
    """Labels as Prometheus prints them: {a="b", c="d"}."""
    inside = ", ".join(f'{name}="{_escape(value)}"' for name, value in key_of(labels))
    return "{" + inside + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def without_name(labels: Labels) -> Labels:
    """The labels without the metric's name."""
    return {name: value for name, value in labels.items() if name != "__name__"}


def keeping(labels: Labels, names: Iterable[str]) -> Labels:
    """Only the named labels that are there."""
    return {name: labels[name] for name in names if name in labels}


def dropping(labels: Labels, names: Iterable[str]) -> Labels:
    """All labels but the named ones and the metric's name."""
    gone = {*names, "__name__"}
    return {name: value for name, value in labels.items() if name not in gone}


def relabelled(vector: Vector, change: Callable[[Labels], Labels]) -> Vector:
    """The same samples under other labels; equal label sets become one series.

    Raises ExecutionError when two of them have a sample at one step.
    """
    return merged(Vector([change(x) for x in vector.labels], vector.values, vector.present))


def merged(vector: Vector) -> Vector:
    """Join rows of equal labels. Raises ExecutionError when two have a sample at one step."""
    keys = [key_of(labels) for labels in vector.labels]
    if len(set(keys)) == len(keys):
        return vector
    rows: dict[LabelKey, int] = {}
    keep: list[int] = []
    values, present = vector.values.copy(), vector.present.copy()
    for row, key in enumerate(keys):
        first = rows.setdefault(key, row)
        if first == row:
            keep.append(row)
            continue
        if np.any(present[first] & present[row]):
            raise ExecutionError("vector cannot contain metrics with the same labelset")
        values[first] = np.where(present[row], values[row], values[first])
        present[first] |= present[row]
    return Vector([vector.labels[row] for row in keep], values[keep], present[keep])
