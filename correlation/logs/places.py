"""What a place in a message says about the word that stands there."""

from __future__ import annotations

import re

from correlation.logs.shapes import ANY, ARGUMENT, SEPARATORS, Shape, is_name, is_value, is_word

PREPOSITIONS = frozenset(
    (
        *("for", "by", "from", "to", "of", "on", "at", "in", "with", "via", "as", "into"),
        *("through", "against", "user", "host"),
    )
)
HAPPENED = re.compile(r"\w(?:ed|ing)$")
"""Participles: they say what happened, and never count as names."""

JOINING = frozenset(("of", "the", "and", "de", "du", "la", "von", "van"))
"""Words within a name of several words: "Ring of the Deep"."""
_BRACKETS = frozenset((("(", ")"), ("[", "]"), ("{", "}"), ("<", ">")))


def may_vary(found: Shape, place: int) -> bool:
    """Whether a value may stand here: not a key, nor what never is one."""
    token = found[place]
    return found[place + 1 : place + 2] != ("=",) and (token == ANY or is_word(token))


def announced(found: Shape, place: int) -> bool:
    """Whether a preposition stands before the place, or before the noun before it."""
    before = found[max(0, place - 2) : place]
    if before and before[-1].lower() in PREPOSITIONS:
        return True
    if len(before) < 2 or before[0].lower() not in PREPOSITIONS:
        return False
    return before[1].islower() and not is_name(before[1])


def is_argument(found: Shape, place: int) -> bool:
    """Whether the token here is a value, or a name or word where one is to be expected."""
    token = found[place]
    if is_value(token):
        return True
    if not may_vary(found, place):
        return False
    before = found[place - 1] if place else ""
    expected = before.lower() in PREPOSITIONS or (before in ARGUMENT and before != ":")
    return is_name(token) or expected


def vanishes(found: Shape, place: int) -> bool:
    """Whether a value here would leave fewer tokens: beside a value, or alone in brackets."""
    if found[place] == ANY:
        return False
    before, after = found[max(0, place - 2) : place], found[place + 1 : place + 3]
    return (
        after[:1] == (ANY,)
        or before[-1:] == (ANY,)
        or (after[1:] == (ANY,) and after[0] in SEPARATORS)
        or (before[:1] == (ANY,) and before[-1] in SEPARATORS)
        or (before[-1:] + after[:1]) in _BRACKETS
    )
