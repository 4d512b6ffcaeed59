"""What the words that stand in one place count for the place being a variable. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from correlation.logs.places import JOINING, announced
from correlation.logs.shapes import ANY, ARGUMENT, QUOTES, Shape, is_name, is_value

MANY_WORDS = 12
"""Distinct words in one place of otherwise equal messages that make the place a variable."""

MANY_ARGUMENTS = 4
"""The same in the place of an argument: after `=`, `:` or an opening bracket."""

MANY_NAMES = 3
"""Distinct names or quoted phrases that do; words where a preposition announces a name."""

FEW_WORDS = 2
"""Words that must be left to say what happened when names and words are replaced."""

ENOUGH = 0.999
"""Share of the evidence needed that makes a place a variable; short of 1 for rounding."""

_NUMBERED = re.compile(r"^[A-Za-z][a-z-]*<num>$")
_PUNCTUATION = frozenset("=:,;()[]{}\"'|<>")


def word_weight(token: str, place: int, found: Shape, names: Collection[str]) -> float:
    """What one of the words in a place counts for the place being a variable: 1 is enough."""
    argument = place > 0 and found[place - 1] in ARGUMENT
    if token == ANY:
        return 0.8 if argument else 0.67
    if token in names or _NUMBERED.search(token):
        return 0.5
    if is_name(token) or announced(found, place):
        return 1.0 / MANY_NAMES
    return 1.0 / (MANY_ARGUMENTS if argument else MANY_WORDS)


def phrase_weight(phrase: Shape, place: int, found: Shape, names: Collection[str]) -> float:
    """The same of some words one after the other; none at all is no more than one word."""
    said = [token for token in phrase if token not in _PUNCTUATION and token not in JOINING]
    if not said:
        return 1.0 / MANY_WORDS
    if all(is_value(token) or "<" in token for token in said):
        return word_weight(ANY, place, found, names) if ANY in said else 0.5
    if len(said) == 1:
        return word_weight(said[0], place, found, names)
    if place and found[place - 1] in QUOTES:
        return 1.0 / MANY_NAMES
    named = sum(token[0].isupper() or is_value(token) or is_name(token) for token in said)
    named += announced(found, place) and said[0].islower()
    return 1.0 / (MANY_NAMES if named == len(said) else MANY_WORDS)
