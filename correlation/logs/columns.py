"""Messages that differ in several arguments at once, or in a name of several words. Pure.

Where few lines are seen, two of one template often differ in two places, and no two of them in
one place only: what one place takes is then not to be seen. So the messages that are equal but
for their arguments are laid under each other, and each column is judged by all that stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from correlation.logs.places import PREPOSITIONS, announced
from correlation.logs.shapes import (
    ANY,
    ARGUMENT,
    QUOTES,
    SEPARATORS,
    Shape,
    condensed,
    is_name,
    is_value,
    is_word,
    words,
)
from correlation.logs.weights import ENOUGH, FEW_WORDS, phrase_weight

_OPENING = frozenset("([{<")
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_LONGEST_PHRASE = 9
"""Tokens of a quoted text, with its closing quote, that may be an argument."""

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
        start = found[0] if found and found[0][0].isalpha() and found[0] not in known else ""
        by_start.setdefault(start, []).append(found)
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
    return [part for _, members in sorted(weak[2].items()) for part in _parts(members, known)]


def _evidence(row: _Row, column: int, values: list[Shape], known: set[str]) -> float:
    """What the values of a column count for its being a variable; one value says all there is."""
    if len(values) < 2:
        return 1.0
    head, tail = _ends(values)
    start = row.slots[column][0]
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
    return len(tokens) == 1 and not any(map(is_value, tokens))


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
        end = _argument_end(found, at, known)
        if end == at:
            frame.append(found[at])
            at += 1
            continue
        if frame and frame[-1] == ANY and slots[-1][1] == at:
            slots[-1] = (slots[-1][0], end)
        else:
            frame.append(ANY)
            slots.append((at, end))
        at = end
    return _Row(found, tuple(frame), tuple(slots))


def _argument_end(found: Shape, at: int, known: frozenset[str]) -> int:
    """Where the argument that begins here ends; `at` itself when none does."""
    token = found[at]
    if token in QUOTES:
        return _quotation_end(found, at)
    if token in _OPENING and found[at + 2 : at + 3] == (_CLOSING[token],):
        return at + 3 if _may_stand(found, at + 1, known) else at
    return at + 1 if _may_stand(found, at, known) else at


def _quotation_end(found: Shape, at: int) -> int:
    """Where a quoted text that is an argument ends: not one that begins the message, nor one
    that begins with a capital unless something announces it, for that is a sentence."""
    inside = found[at + 1 : at + 1 + _LONGEST_PHRASE]
    if at == 0 or found[at] not in inside[1:]:
        return at
    if inside[0][0].isupper() and inside[1] != found[at] and not announced(found, at):
        return at
    return at + 2 + inside.index(found[at])


def _may_stand(found: Shape, at: int, known: frozenset[str]) -> bool:
    """Whether an argument stands here: a value, a name, a known one, a word that is announced."""
    token = found[at]
    if token == ANY:
        return True
    key = found[at + 1 : at + 2] == ("=",)
    if is_value(token):
        return at > 0 and (not key or "<" in token)
    if key or (not is_word(token) and "<" not in token) or token.lower() in PREPOSITIONS:
        return False
    if token in known:
        return True
    if at == 0 or found[at - 2 : at] == (":", ":"):
        return False
    if "<" in token:
        return True
    if _is_constant(token):
        return _is_title(found[at + 1 : at + 2]) or _is_title(found[at - 1 : at])
    before = found[at - 1]
    if token[0].isupper() and before not in SEPARATORS and before[-1] not in ".:":
        return True
    return is_name(token) or announced(found, at) or before in ARGUMENT - {":"}


def _is_constant(token: str) -> bool:
    return len(token) > 1 and token.isupper() and token.replace("_", "").isalpha()


def _is_title(tokens: Shape) -> bool:
    """Whether the token beside one in capitals makes a name of both: "DHCP Client"."""
    return any(token[0].isupper() and not _is_constant(token) for token in tokens)
