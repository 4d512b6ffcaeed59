"""Regular expressions that people write into rules: refused when a text could make them slow. Pure.

Python's engine backtracks, so `(a+)+x` takes exponential time on a line of a's. Nothing is timed
and no thread is killed: what a pattern can cost is read off its syntax tree before it is kept.
Counted are the ways to walk it (a repeat of one character on a text of n has max - min + 1, of
which only the last succeeds where the next character is none that it takes; a sequence has the
product of its parts, an alternation the sum, a repeated group the sum of the powers) and the
attempts that makes. Texts are cut to TEXT_LIMIT characters, so attempts x starting points bound
the engine's steps whatever the text says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

TEXT_LIMIT = 1000
"""Characters of a template, sample line or message that a pattern gets to see."""

PATTERN_LIMIT = 400
MOST_STEPS = 30_000_000
"""About a third of a second on one text at the very worst; the usual pattern needs a thousandth."""

_TOO_MANY = MOST_STEPS + 1
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_CATEGORIES = {"DIGIT": str.isdigit, "SPACE": str.isspace}


class BadPattern(ValueError):
    """A pattern that cannot be used, in words for its author."""


class _Cost(NamedTuple):
    """Ways a part may match at one place, and attempts it takes to see them all."""

    ways: int
    attempts: int


@lru_cache(maxsize=2048)
def compile_pattern(text: str) -> re.Pattern[str]:
    """The pattern, case ignored; raises BadPattern when it is broken, idle or may be slow."""
    if len(text) > PATTERN_LIMIT:
        raise BadPattern(f"is {len(text)} characters long; {PATTERN_LIMIT} are allowed")
    if not text.isprintable():
        raise BadPattern("holds characters that do not print; write them as escapes, such as \\n")
    try:
        tree = _parser.parse(text, re.IGNORECASE)
        pattern = re.compile(text, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"is no regular expression: {error}") from error
    if pattern.flags & ~(re.IGNORECASE | re.UNICODE):
        raise BadPattern("sets flags of its own; case is ignored anyway")
    if pattern.search("") is not None:
        raise BadPattern("matches an empty text, so it would match everything")
    if _sequence(tree, ends=True).attempts * (TEXT_LIMIT + 1) > MOST_STEPS:
        raise BadPattern(
            "may take too long: bound its repeats, such as .{0,40}, do not repeat a group that "
            "repeats or branches, or split it into two conditions"
        )
    return pattern


def clipped(text: str) -> str:
    """What of `text` a pattern is shown."""
    return text[:TEXT_LIMIT]


def _sequence(nodes: Any, *, ends: bool = False) -> _Cost:
    """The cost of a sequence; `ends`: nothing follows it, so its last repeat never goes back."""
    listed = list(nodes)
    ways = attempts = 1
    for place, (operation, argument) in enumerate(listed):
        name = str(operation)
        last = place + 1 == len(listed)
        cost = _node(name, argument)
        attempts += ways * cost.attempts
        single = name in _REPEATS and len(argument[2]) == 1
        if single and not last and _cannot_take(argument[2][0], listed[place + 1]):
            cost = _Cost(1, cost.attempts)
        if not (single and last and ends):
            ways *= cost.ways
        if max(ways, attempts) > MOST_STEPS:
            return _Cost(_TOO_MANY, _TOO_MANY)
    return _Cost(ways, attempts)


def _node(name: str, argument: Any) -> _Cost:
    if name == "BRANCH":
        parts = [_sequence(branch) for branch in argument[1]]
        return _Cost(sum(p.ways for p in parts), sum(p.attempts for p in parts))
    if name == "SUBPATTERN":
        return _sequence(argument[-1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return _sequence(argument[1])
    if name == "ATOMIC_GROUP":
        return _sequence(argument)
    if name in _REPEATS:
        return _repeat(*argument)
    if name in ("GROUPREF", "GROUPREF_EXISTS"):
        raise BadPattern("refers back to a group, which is not supported")
    return _Cost(1, 1)


def _repeat(fewest: Any, most: Any, body: Any) -> _Cost:
    fewest, most = min(int(fewest), TEXT_LIMIT), min(int(most), TEXT_LIMIT)
    inside = _sequence(body)
    if inside.ways == 1:
        return _Cost(most - fewest + 1, most * inside.attempts)
    ways = attempts = 0
    for count in range(most + 1):
        power = inside.ways**count
        attempts += power * inside.attempts
        ways += power if count >= fewest else 0
        if max(ways, attempts) > MOST_STEPS:
            return _Cost(_TOO_MANY, _TOO_MANY)
    return _Cost(ways, attempts)


def _cannot_take(repeated: Any, following: Any) -> bool:
    """Whether the repeated character is never the literal that must follow it."""
    operation, argument = following
    if str(operation) != "LITERAL":
        return False
    literal = chr(argument)
    return not any(_takes(repeated, one) for one in {literal, literal.lower(), literal.upper()})


def _takes(node: Any, character: str) -> bool:
    """Whether a node of one character may match `character`; true where it is not known."""
    name, argument = str(node[0]), node[1]
    if len(character) != 1:
        return True
    if name == "LITERAL":
        return character.casefold() == chr(argument).casefold()
    if name == "NOT_LITERAL":
        return character.casefold() != chr(argument).casefold()
    if name == "RANGE":
        return int(argument[0]) <= ord(character) <= int(argument[1])
    if name == "CATEGORY":
        return _in_category(str(argument), character)
    if name == "IN":
        negated = bool(argument) and str(argument[0][0]) == "NEGATE"
        return negated or any(_takes(item, character) for item in argument)
    return True


def _in_category(category: str, character: str) -> bool:
    kind = category.rpartition("_")[2]
    if kind == "WORD":
        found = character.isalnum() or character == "_"
    elif kind in _CATEGORIES:
        found = _CATEGORIES[kind](character)
    else:
        return True
    return found != ("_NOT_" in category)
