"""Binary operators between scalars and vectors, with Prometheus' vector matching."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

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
    merged,
    relabelled,
    show,
    without_name,
)

Operator = Callable[[Floats, Floats], Floats]

ARITHMETIC: dict[str, Operator] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISONS: dict[str, Callable[[Floats, Floats], Mask]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SET_OPERATORS = ("and", "or", "unless")


@dataclass(slots=True)
class Matching:
    """How rows pair up: labels to match on (or to ignore), and which side may have many."""

    on: bool = False
    labels: list[str] = field(default_factory=list)
    many: str = ""  # "", "left" (group_left) or "right" (group_right)
    include: list[str] = field(default_factory=list)
    return_bool: bool = False

    def signature(self, labels: Labels) -> LabelKey:
        """What two rows have in common when they match."""
        chosen = keeping(labels, self.labels) if self.on else dropping(labels, self.labels)
        return key_of(chosen)


def between_scalars(op: str, left: Floats, right: Floats) -> Floats:
    """Two scalars; a comparison (always `bool`) gives 0 or 1."""
    if op in COMPARISONS:
        return COMPARISONS[op](left, right).astype(np.float64)
    return _arithmetic(op)(left, right)


def with_scalar(op: str, vector: Vector, scalar: Floats, swap: bool, return_bool: bool) -> Vector:
    """A vector and a scalar; `swap` when the scalar stands on the left."""
    left, right = (scalar, vector.values) if swap else (vector.values, scalar)
    if op in COMPARISONS:
        true = np.broadcast_to(COMPARISONS[op](left, right), vector.values.shape)
        if not return_bool:
            return Vector(vector.labels, vector.values, vector.present & true, vector.ordered)
        return relabelled(
            Vector(vector.labels, true.astype(np.float64), vector.present), without_name
        )
    values = np.asarray(_arithmetic(op)(left, right))
    return relabelled(Vector(vector.labels, values, vector.present), without_name)


def between_vectors(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """Two vectors. Raises ExecutionError for a match that is not unique, as Prometheus does."""
    many, one = (right, left) if matching.many == "right" else (left, right)
    groups = _rows_by_signature(one, matching)
    busy = anywhere(many.present)
    _refuse_duplicates(one, groups, busy, "left" if matching.many == "right" else "right")
    rows: dict[LabelKey, tuple[Labels, Floats, Mask]] = {}
    taken: dict[LabelKey, Mask] = {}
    for row, labels in enumerate(many.labels):
        signature = matching.signature(labels)
        for other in groups.get(signature, ()):
            both = many.present[row] & one.present[other]
            if not both.any():
                continue
            sides = many.values[row], one.values[other]
            values, kept = _apply(op, *(sides[::-1] if matching.many == "right" else sides))
            if op in COMPARISONS and matching.return_bool:
                values = kept.astype(np.float64)
            elif op in COMPARISONS:
                both = both & kept
            result = _result_labels(op, labels, one.labels[other], matching)
            _claim(taken, key_of(result) if matching.many else signature, both, matching)
            _add(rows, result, values, both)
    return Vector.of_rows(list(rows.values()), left.steps)


def of_sets(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """and, or, unless."""
    base, other = (right, left) if op == "or" else (left, right)
    seen: dict[LabelKey, Mask] = {}
    for row, labels in enumerate(other.labels):
        signature = matching.signature(labels)
        mask = seen.get(signature)
        seen[signature] = other.present[row] if mask is None else mask | other.present[row]
    nowhere = np.zeros(left.steps, dtype=bool)
    present = np.zeros(base.present.shape, dtype=bool)
    for row, labels in enumerate(base.labels):
        matched = seen.get(matching.signature(labels), nowhere)
        present[row] = base.present[row] & (matched if op == "and" else ~matched)
    if op != "or":
        return Vector(base.labels, base.values, present)
    both = Vector(
        left.labels + right.labels,
        np.concatenate([left.values, right.values]),
        np.concatenate([left.present, present]),
    )
    return merged(both)


def _arithmetic(op: str) -> Operator:
    if op not in ARITHMETIC:
        raise Unsupported(f'operator "{op}"')
    return ARITHMETIC[op]


def _apply(op: str, left: Floats, right: Floats) -> tuple[Floats, Mask]:
    if op in COMPARISONS:
        return left, COMPARISONS[op](left, right)
    return _arithmetic(op)(left, right), np.ones(len(left), dtype=bool)


def _rows_by_signature(vector: Vector, matching: Matching) -> dict[LabelKey, list[int]]:
    groups: dict[LabelKey, list[int]] = {}
    for row, labels in enumerate(vector.labels):
        groups.setdefault(matching.signature(labels), []).append(row)
    return groups


def _refuse_duplicates(
    one: Vector, groups: dict[LabelKey, list[int]], busy: Mask, side: str
) -> None:
    for signature, rows in groups.items():
        crowded = (one.present[rows].sum(axis=0) > 1) & busy if len(rows) > 1 else busy[:0]
        if crowded.any():
            step = int(np.flatnonzero(crowded)[0])
            first, second = [row for row in rows if one.present[row, step]][:2]
            raise ExecutionError(
                f"found duplicate series for the match group {show(dict(signature))} on the "
                f"{side} hand-side of the operation: [{show(one.labels[second])}, "
                f"{show(one.labels[first])}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )


def _result_labels(op: str, many: Labels, one: Labels, matching: Matching) -> Labels:
    drop_name = op in ARITHMETIC or matching.return_bool
    labels = without_name(many) if drop_name else dict(many)
    if not matching.many:
        if matching.on:
            labels = keeping(labels, matching.labels)
        else:
            labels = {k: v for k, v in labels.items() if k not in matching.labels}
    for name in matching.include:
        if one.get(name):
            labels[name] = one[name]
        else:
            labels.pop(name, None)
    return labels


def _claim(taken: dict[LabelKey, Mask], key: LabelKey, mask: Mask, matching: Matching) -> None:
    before = taken.get(key)
    if before is not None and np.any(before & mask):
        raise ExecutionError(
            "multiple matches for labels: "
            + (
                "grouping labels must ensure unique matches"
                if matching.many
                else "many-to-one matching must be explicit (group_left/group_right)"
            )
        )
    taken[key] = mask if before is None else before | mask


def _add(
    rows: dict[LabelKey, tuple[Labels, Floats, Mask]], labels: Labels, values: Floats, mask: Mask
) -> None:
    key = key_of(labels)
    if key not in rows:
        rows[key] = (labels, values, mask)
        return
    _, old, present = rows[key]
    if np.any(present & mask):
        raise ExecutionError("vector cannot contain metrics with the same labelset")
    rows[key] = (labels, np.where(mask, values, old), present | mask)


def matching_of(modifier: Any) -> Matching:
    """How the sides of a parsed operator are matched. Raises Unsupported."""
    if modifier is None:
        return Matching()
    cards = {
        "VectorMatchCardinality.ManyToOne": "left",
        "VectorMatchCardinality.OneToMany": "right",
    }
    fills = modifier.fill_values
    if fills is not None and (fills.lhs is not None or fills.rhs is not None):
        raise Unsupported("fill()")
    rule = modifier.matching
    return Matching(
        on=rule is not None and str(rule.type) == "LabelModifierType.Include",
        labels=list(rule.labels) if rule is not None else [],
        many=cards.get(str(modifier.card), ""),
        include=list(modifier.group_labels or []),
        return_bool=bool(modifier.return_bool),
    )
