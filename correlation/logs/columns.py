"""Messages that differ in several arguments at once, or in a name of several words. Pure.

Where few lines are seen, two of one template often differ in two places, and no two of them in
one place only: what one place takes is then not to be seen. So the messages that are equal but
for their arguments are laid under each other, and each column is judged by all that stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from correlation.logs.arguments import argument_end, begins_with_name, is_list, is_listed, opens
from correlation.logs.shapes import ANY, Shape, condensed, is_value, words
from correlation.logs.weights import ENOUGH, FEW_WORDS, phrase_weight

Slot = tuple[int, int]
"""(start, end) of the tokens of a shape that stand in a column."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A shape with its arguments out: `frame` has `ANY` for each, `slots` says where they are."""

    found: Shape
    frame: Shape
    slots: tuple[Slot, ...]

    def values(self, column: int) -> Shape:
        start, end = self.slots[column]
        return self.found[start:end]


def by_columns(templates: set[Shape], known: set[str]) -> dict[Shape, Shape]:
    """Templates that differ in columns of values only, each with what it becomes.

    `known` are words known as names.
    """
    by_start: dict[str, list[Shape]] = {}
    for found in sorted(templates):
        by_start.setdefault(_start(found, known), []).append(found)
    frames: dict[Shape, list[_Row]] = {}
    for members in by_start.values():
        if len(members) < 2:
            continue
        for found in members:
            row = _row(found, frozenset(known.intersection(found)))
            frames.setdefault(row.frame, []).append(row)
    target: dict[Shape, Shape] = {}
    for rows in frames.values():
        for part in _parts(rows, known):
            common = _common(part)
            if words(common) >= FEW_WORDS:
                target.update((row.found, common) for row in part)
    return target


def _start(found: Shape, known: set[str]) -> str:
    """The first word, which all rows of a frame have in common; "" where an argument may stand."""
    if not found or not found[0][0].isalpha() or found[0] in known or begins_with_name(found):
        return ""
    return "" if is_value(found[0]) else found[0]


def _parts(rows: list[_Row], known: set[str]) -> list[list[_Row]]:
    """The rows in groups of at least two within which every column that varies is a variable."""
    if len(rows) < 2:
        return []
    weak: tuple[float, int, dict[Shape, list[_Row]]] | None = None
    for column in range(len(rows[0].slots)):
        by_value: dict[Shape, list[_Row]] = {}
        for row in rows:
            by_value.setdefault(row.values(column), []).append(row)
        evidence = _evidence(rows[0], column, list(by_value), known)
        if evidence < ENOUGH and (weak is None or (evidence, column) < weak[:2]):
            weak = (evidence, column, by_value)
    if weak is None:
        return [rows]
    divided = weak[2]
    if weak[0] == 0.0:  # the first word says who speaks
        firsts = {row.found[0] for row in rows}
        if len(firsts) > 1:
            divided = {(word,): [row for row in rows if row.found[0] == word] for word in firsts}
    return [part for _, members in sorted(divided.items()) for part in _parts(members, known)]


def _evidence(row: _Row, column: int, values: list[Shape], known: set[str]) -> float:
    """What the values of a column count for its being a variable; one value says all there is."""
    if len(values) < 2:
        return 1.0
    head, tail = _ends(values)
    start = row.slots[column][0]
    if start + head == 0 and not any(value[0] == ANY for value in values):
        return 0.0
    place = start + head
    return sum(
        phrase_weight(value[head : len(value) - tail], place, row.found, known) for value in values
    )


def _ends(values: Sequence[Shape]) -> tuple[int, int]:
    """How many tokens all values begin with, and how many of the rest they end with."""
    shortest = min(map(len, values))
    head = 0
    while head < shortest and _shared({value[head] for value in values}):
        head += 1
    tail = 0
    while tail < shortest - head and _shared({value[-1 - tail] for value in values}):
        tail += 1
    return head, tail


def _shared(tokens: set[str]) -> bool:
    return len(tokens) == 1 and all(token[0].isalnum() and not is_value(token) for token in tokens)


def _common(rows: Sequence[_Row]) -> Shape:
    """The frame of the rows with what is the same in all of them put back."""
    tokens: list[str] = []
    column = 0
    for token in rows[0].frame:
        if token != ANY:
            tokens.append(token)
            continue
        values = sorted({row.values(column) for row in rows})
        column += 1
        if len(values) == 1:
            tokens += values[0]
            continue
        head, tail = _ends(values)
        tokens += [*values[0][:head], ANY, *values[0][len(values[0]) - tail :]]
    return condensed(tokens)


@lru_cache(maxsize=32768)
def _row(found: Shape, known: frozenset[str]) -> _Row:
    frame: list[str] = []
    slots: list[Slot] = []
    at = 0
    while at < len(found):
        end = argument_end(found, at, known)
        after_one = bool(slots) and slots[-1][1] == at
        if end == at or (opens(found[at]) and not after_one and not is_list(found, at, end)):
            frame.append(found[at])
            at += 1
            continue
        if after_one:
            slots[-1] = (slots[-1][0], end)
        elif frame and slots and slots[-1][1] == at - 1 and is_listed(found, at):
            frame.pop()
            slots[-1] = (slots[-1][0], end)
        elif is_list(found, at, end):
            pass  # a list of values in brackets is passed over, as `condensed` does
        else:
            frame.append(ANY)
            slots.append((at, end))
        at = end
    return _Row(found, tuple(frame), tuple(slots))
