"""Functions over instant vectors and scalars: abs, clamp, label_replace, absent and their like."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from lab.matchers import RegexUnsupportedError, go_regex
from lab.promql_vector import (
    ExecutionError,
    Floats,
    Labels,
    Unsupported,
    Vector,
    anywhere,
    relabelled,
    without_name,
)

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)


def mapped(vector: Vector, values: Floats) -> Vector:
    """Other values (S, T) for the same series, their metric name dropped."""
    return relabelled(Vector(vector.labels, values, vector.present), without_name)


ELEMENTWISE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": np.sign,
}


def rounded(vector: Vector, nearest: Floats) -> Vector:
    """round(v, to_nearest): halves go up."""
    inverse = 1.0 / nearest
    return mapped(vector, np.floor(vector.values * inverse + 0.5) / inverse)


def clamped(vector: Vector, low: Floats | None, high: Floats | None) -> Vector:
    """clamp, clamp_min, clamp_max; with low > high the answer is empty."""
    values = vector.values
    if high is not None:
        values = np.minimum(values, high)
    if low is not None:
        values = np.maximum(values, low)
    clamped_vector = Vector(vector.labels, values, vector.present)
    if low is not None and high is not None:
        clamped_vector.present = vector.present & ~(high < low)
    return relabelled(clamped_vector, without_name)


def as_scalar(vector: Vector) -> Floats:
    """scalar(): the value of the only series at each step, else NaN."""
    single = vector.present.sum(axis=0) == 1
    total = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return np.asarray(np.where(single, total, np.nan))


def as_vector(scalar: Floats) -> Vector:
    """vector(): one series without labels."""
    return Vector([{}], scalar[np.newaxis, :], np.ones((1, len(scalar)), dtype=bool))


def absent(vector: Vector, labels: Labels) -> Vector:
    """absent(): 1 under `labels` at the steps where the vector has nothing."""
    nothing = ~anywhere(vector.present)
    return Vector([labels], np.ones((1, vector.steps)), nothing[np.newaxis, :])


def ordered(vector: Vector, *, descending: bool) -> Vector:
    """sort and sort_desc; they order instant answers only, NaN last."""
    if vector.steps != 1:
        return vector
    values = vector.values[:, 0]
    keys = np.where(np.isnan(values), np.inf, -values if descending else values)
    rows = np.lexsort((keys, np.isnan(values)))
    labels = [vector.labels[row] for row in rows]
    return Vector(labels, vector.values[rows], vector.present[rows], ordered=True)


def label_replace(
    vector: Vector, target: str, replacement: str, source: str, pattern: str
) -> Vector:
    """label_replace(); the pattern matches the whole of the source label's value."""
    try:
        regex = go_regex(pattern)
    except RegexUnsupportedError as error:
        raise Unsupported(f"the regular expression {pattern!r}") from error
    except re.error as error:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}") from error
    if not _LABEL_NAME.fullmatch(target):
        raise ExecutionError(f"invalid destination label name in label_replace(): {target}")

    def change(labels: Labels) -> Labels:
        found = regex.fullmatch(labels.get(source, ""))
        if found is None:
            return labels
        return _with(labels, target, _REFERENCE.sub(lambda ref: _referred(found, ref), replacement))

    return relabelled(vector, change)


def _referred(found: re.Match[str], reference: re.Match[str]) -> str:
    name = reference[1] or reference[2]
    if name is None:
        return "$"
    group: str | int = int(name) if name.isdigit() else name
    try:
        return found[group] or ""
    except IndexError:
        return ""


def label_join(vector: Vector, target: str, separator: str, sources: list[str]) -> Vector:
    """label_join()."""
    if not _LABEL_NAME.fullmatch(target):
        raise ExecutionError(f"invalid destination label name in label_join(): {target}")

    def change(labels: Labels) -> Labels:
        return _with(labels, target, separator.join(labels.get(name, "") for name in sources))

    return relabelled(vector, change)


def _with(labels: Labels, name: str, value: str) -> Labels:
    others = {label: text for label, text in labels.items() if label != name}
    return {**others, name: value} if value else others
