"""Which masked messages are one template: told by structure and by how many values a place takes.

All decisions are over the set of distinct messages, never over their order or their number of
lines, so a message that comes a thousand times weighs what one weighs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

Shape = tuple[str, ...]

ANY = "<*>"
MANY_WORDS = 12
"""Distinct words in one place of otherwise equal messages that make the place a variable."""

MANY_ARGUMENTS = 4
"""The same in the place of an argument: after `=`, `:` or an opening bracket."""

MANY_NAMES = 3
"""Distinct names and quoted phrases, in otherwise equal messages, that make them variables."""

FEW_WORDS = 2
"""Words that must be left to say what happened when names and words are replaced."""

_TOKEN = re.compile(
    r"\.{3,}|(?:<(?:[a-z]+|\*)>|(?!\.{3})[^\s=:,;()\[\]{}\"'|<>]|(?<=\w)'(?=\w))+|[=:,;()\[\]{}\"'|<>]"
)
_NO_VALUE = re.compile(r"(?<=\w)=(?=\s+\w+=|\s*$)")
_PLACEHOLDERS = re.compile(r"[-+./_~@#%*&?!$]*(?:<(?:[a-z]+|\*)>[-+./_~@#%*&?!$]*)+")
# never values: what failed, where in the code, whether something is so
_MEANT = re.compile(
    r"^\| |\w(?:Exception|Error|Throwable|Fault)\b|#\d|^[5]\d\d$|^(?i:true|false|yes|no|on|off)$"
)
# a host, a class, a file, an account; a word with a number inside; hex that has no digit
_VALUE = re.compile(
    r"\w[./\\@~]\w|^[./~*\\]+\w|\w[/*]$|^[a-f]{4,}$|^[A-F]{2,}$"
    r"|<[a-z]+>[^<>]*[A-Za-z]|[-_./<>]<[a-z]+>|^[a-fA-F]*<[a-z]+>"
)
_NAME = re.compile(r"\w_\w|<[a-z]+>|[a-z][A-Z]|\w-\w")
_SEPARATORS = frozenset(",:;|")
_QUOTES = frozenset("\"'")
_OPENING = {")": "(", "]": "[", "}": "{"}
_ARGUMENT = frozenset('=:([{"')


def shape(text: str) -> Shape:
    """The tokens of a masked message, lists of placeholders as one placeholder."""
    if "=" in text:
        text = _NO_VALUE.sub("=<*>", text)
    return _condensed(
        [
            ANY if token[0] == "<" and _PLACEHOLDERS.fullmatch(token) else token
            for token in _TOKEN.findall(text)
        ]
    )


def merged(shapes: Iterable[Shape]) -> dict[Shape, Shape]:
    """The template of each shape: itself, or one with `ANY` where shapes differ in a value."""
    template = {found: found for found in shapes}
    template = _by_outline(template, loose=False, need=2, words=1)
    template = _by_outline(template, loose=True, need=MANY_NAMES, words=FEW_WORDS)
    for _ in range(3):
        wider = _widened(set(template.values()))
        if not wider:
            break
        template = {found: wider.get(kept, kept) for found, kept in template.items()}
    return template


def rendered(text: str, template: Shape) -> str:
    """A template as a person reads it: `text`, one of its messages, with its values as `ANY`."""
    text = _NO_VALUE.sub("=<*>", text)
    out: list[str] = []
    end = place = 0
    for found in _TOKEN.finditer(text):
        if place == len(template):
            break
        gap, token = text[end : found.start()], found.group()
        end = found.end()
        wanted = template[place]
        if wanted.startswith("| "):
            break
        if wanted in (token, ANY):
            out.append(gap + wanted)
            place += 1
    return " ".join(filter(None, ("".join(out).strip(), *template[place:])))


def _by_outline(
    template: dict[Shape, Shape], loose: bool, need: int, words: int
) -> dict[Shape, Shape]:
    """Templates with one outline become that outline when at least `need` share it."""
    outlines = {kept: _outline(kept, loose) for kept in template.values()}
    sharing = Counter(outlines.values())
    target = {
        kept: outline if sharing[outline] >= need and _words(outline) >= words else kept
        for kept, outline in outlines.items()
    }
    return {found: target[kept] for found, kept in template.items()}


def _condensed(tokens: Iterable[str]) -> Shape:
    """Lists of values as one value; brackets that hold a value or nothing are passed over."""
    kept: list[str] = []
    for token in tokens:
        if token == ANY and kept:
            if kept[-1] == ANY:
                continue
            if len(kept) > 1 and kept[-2] == ANY and kept[-1] in _SEPARATORS:
                kept.pop()
                continue
            if kept[-1] in "<>~":  # less than, about
                kept.pop()
                if kept and kept[-1] == ANY:
                    continue
        elif token in _OPENING and len(kept) > 1:
            opening = _OPENING[token]
            if kept[-1] == opening:
                kept.pop()
                continue
            if kept[-1] == ANY and kept[-2] == opening:
                del kept[-2:]
                continue
        kept.append(token)
    return tuple(kept)


def _outline(found: Shape, loose: bool) -> Shape:
    """The shape with what looks like a value replaced; `loose`: names and quoted words too."""
    tokens: list[str] = []
    quote = -1
    for token in found:
        if token in _QUOTES:
            if quote >= 0 and tokens[quote] == token:
                inside = tokens[quote + 1 :]
                if loose or ANY in inside or not inside:
                    verb = inside[:1] if len(inside) > 1 and inside[0].isupper() else []
                    tokens[quote:] = [*verb, ANY]
                else:
                    tokens.append(token)
                quote = -1
                continue
            if quote < 0:
                quote = len(tokens)
        elif (
            _is_value(token)
            or (
                loose
                and tokens  # the first word says who speaks
                and tokens[-2:] != [":", ":"]
                and (_is_name(token) or (tokens[-1] == "=" and _is_word(token)))
            )
        ):
            token = ANY
        tokens.append(token)
    return _condensed(tokens)


@lru_cache(maxsize=65536)
def _is_value(token: str) -> bool:
    return token == ANY or bool(_VALUE.search(token) and not _MEANT.search(token))


@lru_cache(maxsize=65536)
def _is_name(token: str) -> bool:
    return bool(_NAME.search(token) and not _MEANT.search(token))


@lru_cache(maxsize=65536)
def _is_word(token: str) -> bool:
    return token[0].isalpha() and not _MEANT.search(token)


def _words(found: Shape) -> int:
    """How many words say what happened."""
    return sum(len(token) > 1 and token != ANY for token in found)


def _widened(templates: set[Shape]) -> dict[Shape, Shape]:
    """Templates that are equal but for one place that takes many words."""
    by_length: dict[int, list[Shape]] = {}
    for found in templates:
        if _words(found) > FEW_WORDS:
            by_length.setdefault(len(found), []).append(found)
    places: dict[tuple[int, int, int], list[Shape]] = {}
    for length, members in by_length.items():
        if len(members) < 2:
            continue
        for found in members:
            marks = [hash(pair) for pair in enumerate(found)]
            total = sum(marks)
            for place, token in enumerate(found):
                if token == ANY or _is_word(token):
                    places.setdefault((length, place, total - marks[place]), []).append(found)
    full = sorted(
        (-len(members), place, sorted(members))
        for (_, place, _), members in places.items()
        if len(members) > 1
    )
    wider: dict[Shape, Shape] = {}
    for count, place, members in full:
        words = {found[place] for found in members}
        argument = place > 0 and members[0][place - 1] in _ARGUMENT
        need = MANY_ARGUMENTS if argument else MANY_WORDS
        if ANY in words:
            need = 2 if argument or all(map(_is_name, words - {ANY})) else 3
        if -count >= need:
            target = _condensed((*members[0][:place], ANY, *members[0][place + 1 :]))
            for found in members:
                wider.setdefault(found, target)
    return wider
