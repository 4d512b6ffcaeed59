"""Where the arguments of a message stand, and how far each of them reaches. Pure.

An argument may have several words: a name in capitals, a quoted text, a list in brackets.
"""

from __future__ import annotations

import re
from functools import lru_cache

from correlation.logs.places import JOINING, PREPOSITIONS, announced
from correlation.logs.shapes import (
    ANY,
    ARGUMENT,
    QUOTES,
    SEPARATORS,
    Shape,
    holds_value,
    is_name,
    is_value,
    is_word,
    quotes_message,
)

_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_LONGEST_QUOTATION = 9
"""Tokens of a quoted text, with its closing quote, that may be an argument."""
_HAPPENED = ("ed", "using", "during", "being")
_ARTICLES = frozenset(("The", "A", "An", "This", "No", "New", "Your"))
_PARTS = re.compile(r"[^\w-]+")


def argument_end(found: Shape, at: int, known: frozenset[str]) -> int:
    """Where the argument that begins at `at` ends; `at` itself when none does.

    `known` are words of the message that are known as names.
    """
    token = found[at]
    if token in QUOTES:
        return _quotation_end(found, at)
    if token in _CLOSING:
        return _bracket_end(found, at, known)
    if not _may_stand(found, at, known):
        return at
    return _name_end(found, at) if token[0].isupper() else at + 1


def begins_with_name(found: Shape) -> bool:
    """Whether the message begins with two words that may be one name: "Print Spooler was"."""
    if len(found) < 3 or found[0] in _ARTICLES:
        return False
    return _is_title(found[0]) and found[1][0].isupper() and is_word(found[1])


def opens(token: str) -> bool:
    return token in _CLOSING


def is_list(found: Shape, start: int, end: int) -> bool:
    """Whether an argument is a list in brackets, which shapes pass over."""
    return end - start > len("(x)") and found[start] in _CLOSING


def is_listed(found: Shape, at: int) -> bool:
    """Whether the values before and after a separator are one list: "x15,3"."""
    return found[at - 1] in SEPARATORS and "<" in found[at - 2] and "<" in found[at]


def _name_end(found: Shape, at: int) -> int:
    """After one capitalised word, or after the joining words that another one follows."""
    end = at + 1
    while end < len(found) and found[end] in JOINING:
        end += 1
    return end if end < len(found) and found[end][0].isupper() else at + 1


def _bracket_end(found: Shape, at: int, known: frozenset[str]) -> int:
    """Where a bracket ends that holds one argument, or a list with a value in it."""
    closing = _CLOSING[found[at]]
    if closing not in found[at + 2 :]:
        return at
    end = found.index(closing, at + 2)
    if end == at + 2:
        return end + 1 if _may_stand(found, at + 1, known) else at
    inside = found[at + 1 : end]
    listed = len(inside) % 2 and set(inside[1::2]) == {","}
    valued = any("<" in token or is_value(token) for token in inside[::2])
    return end + 1 if listed and valued else at


def _quotation_end(found: Shape, at: int) -> int:
    """Where a quoted text that is an argument ends: not what the message is, nor one that begins
    with a capital unless something announces it, for that is a sentence."""
    inside = found[at + 1 : at + 1 + _LONGEST_QUOTATION]
    if at == 0 or found[at] not in inside[1:] or quotes_message(found, at):
        return at
    if inside[0][0].isupper() and inside[1] != found[at] and not announced(found, at):
        return at
    return at + 2 + inside.index(found[at])


def _may_stand(found: Shape, at: int, known: frozenset[str]) -> bool:
    """Whether an argument stands here: a value, a name, a known one, a word that is announced."""
    token = found[at]
    if token == ANY:
        return True
    if holds_value(found, at):
        return True
    key = found[at + 1 : at + 2] == ("=",)
    if (
        key
        or is_value(token)
        or (not is_word(token) and "<" not in token)
        or token.lower() in PREPOSITIONS
    ):
        return False
    if token in known or token in _echoes(found):
        return True
    if at == 0:
        return begins_with_name(found)
    if found[at - 2 : at] == (":", ":"):
        return False
    if "<" in token:
        return True
    before = found[at - 1]
    if token[0].isupper():
        if _is_constant(token):
            return _is_title(before) or (at + 1 < len(found) and _is_title(found[at + 1]))
        if before not in SEPARATORS and before[-1] not in ".:":
            return True
    if is_name(token) or before in ARGUMENT - {":"}:
        return True
    return announced(found, at) and not token.endswith(_HAPPENED)


@lru_cache(maxsize=4096)
def _echoes(found: Shape) -> frozenset[str]:
    """The words a message says again as parts of a value: of a path, of a dotted name."""
    parts = {
        part
        for token in found
        if token != ANY and is_value(token)
        for part in _PARTS.split(token)
        if part != token and len(part) > 2
    }
    return frozenset(parts)


def _is_constant(token: str) -> bool:
    return len(token) > 1 and token.isupper() and token.replace("_", "").isalpha()


def _is_title(token: str) -> bool:
    """Whether a word is written like a name, not like a constant: "Client", "AUTHORITY\\SYSTEM"."""
    return token[0].isupper() and not _is_constant(token)
