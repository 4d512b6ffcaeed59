"""The tokens of a masked message, and which of them look like a value rather than a word.

A shape is a tuple of tokens. Its outline has `ANY` for every token that looks like a value; each
piece of an outline knows the tokens it stands for, so that what does not vary can be put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

Shape = tuple[str, ...]
Piece = tuple[str, int, int]
"""(token, start, end): what stands in an outline for the tokens `start` to `end` of a shape."""

ANY = "<*>"

TOKEN = re.compile(
    r"\.{3,}|\\+[\"']|[-=]>"
    r"|[A-Za-z][\w-]*(?:\.[\w-]+)*:<num>(?![\w:=<])\.*"  # host:port
    r"|(?:<(?:[a-z]+|\*)>|(?!\.{3}|->|\\+[\"'])[^\s=:,;()\[\]{}\"'|<>]|(?<=\w)'(?=\w))+"
    r"|[=:,;()\[\]{}\"'|<>]"
)
NO_VALUE = re.compile(r"(?<=\w)=(?=\s+\w+=|\s*$)")
ARGUMENT = frozenset('=:([{<"')
_PLACEHOLDERS = re.compile(r"[-+./_~@#%*&?!$]*(?:<(?:[a-z]+|\*)>[-+./_~@#%*&?!$]*)+")
# never values: what failed, where in the code, whether something is so, what the code enumerates
_MEANT = re.compile(
    r"^\| |\w(?:Exception|Error|Throwable|Fault)\b|#\d|^[5]\d\d$|^(?i:true|false|yes|no|on|off)$"
    r"|\w(?:BackOff|Fail(?:ure|ed)|Killed|Exceeded|Refused|Denied|Unavailable|Timed?[Oo]ut)$"
    r"|^[A-Z][A-Z]+(?:_[A-Z]+)+$"
    r"|[a-z]\w*\.(?!(?:EXE|DLL|SYS|INI|LOG|TXT|XML|DAT|BAT|MSI)$)[A-Z]{2,}(?:_[A-Z]+)*$"
)
# a host, a class, a file, an account; a word with a number inside; hex that has no digit
_VALUE = re.compile(
    r"\w[./\\@~]\w|^[./~*\\]+\w|\w[/*]$|^[a-f]{4,}$|^[A-F]{2,}$|^localhost$"
    r"|<[a-z]+>[^<>]*[A-Za-z]|[-_./<>]<[a-z]+>|^[a-fA-F]*<[a-z]+>"
)
_NAME = re.compile(r"\w_\w|<[a-z]+>|[a-z][A-Z]|\w-\w")
_CODE = re.compile(r"^(?=.*[a-z][A-Z])[A-Za-z]\w*(?:\.\w+)+$")
SEPARATORS = frozenset(",:;|")
QUOTES = frozenset(('"', "'", '\\"', "\\'", '\\\\\\"'))
_MESSAGE = frozenset(("msg", "message", "event", "text", "log", "reason", "error", "err"))
_ENDS = frozenset(">")
_OPENING = {")": "(", "]": "[", "}": "{"}
CONDENSING = frozenset((ANY, *_ENDS, *_OPENING))
"""Tokens without which a message has nothing to condense."""


def shape(text: str) -> Shape:
    """The tokens of a masked message, lists of placeholders as one placeholder."""
    if "=" in text:
        text = NO_VALUE.sub("=<*>", text)
    return condensed(
        [
            ANY if token[0] == "<" and _PLACEHOLDERS.fullmatch(token) else token
            for token in TOKEN.findall(text)
        ]
    )


@lru_cache(maxsize=32768)
def outline(found: Shape, loose: bool) -> tuple[Piece, ...]:
    """The shape with what looks like a value replaced; `loose`: names and quoted words too."""
    pieces: list[Piece] = []
    quote = -1
    for at, token in enumerate(found):
        piece = (token, at, at + 1)
        if token in QUOTES:
            if quote >= 0 and pieces[quote][0] == token:
                _close(found, pieces, quote, piece, loose)
                quote = -1
                continue
            if quote < 0:
                quote = len(pieces)
        elif token == ANY:
            pass
        elif holds_value(found, at) or (loose and _named(found, at)):
            piece = (ANY, at, at + 1)
        pieces.append(piece)
    return tuple(_condensed(pieces))


def restored(members: Sequence[Shape], pieces: Sequence[Sequence[Piece]]) -> Shape:
    """The outline that `members` share, with the tokens that are the same in all of them."""
    tokens: list[str] = []
    for place, (token, _, _) in enumerate(pieces[0]):
        if token != ANY:
            tokens.append(token)
            continue
        spans = [
            member[theirs[place][1] : theirs[place][2]]
            for member, theirs in zip(members, pieces, strict=True)
        ]
        if len({len(span) for span in spans}) > 1:
            tokens.append(ANY)
            continue
        columns = (set(column) for column in zip(*spans, strict=True))
        tokens += [min(column) if len(column) == 1 else ANY for column in columns]
    return condensed(tokens)


def condensed(tokens: Sequence[str]) -> Shape:
    """Lists of values as one value; brackets that hold a value or nothing are passed over."""
    if CONDENSING.isdisjoint(tokens):
        return tuple(tokens)
    return tuple(token for token, _, _ in _condensed((token, 0, 0) for token in tokens))


@lru_cache(maxsize=65536)
def is_value(token: str) -> bool:
    """Whether a token by itself looks like a value: an address, a dotted name, a number inside."""
    return token == ANY or bool(_VALUE.search(token) and not _MEANT.search(token))


@lru_cache(maxsize=65536)
def is_name(token: str) -> bool:
    """Whether a token looks like a name that somebody gave: of a thing, a class, a setting."""
    return bool(_NAME.search(token) and not _MEANT.search(token))


@lru_cache(maxsize=65536)
def is_word(token: str) -> bool:
    """Whether a token may be a value though it looks like prose."""
    return token[0].isalpha() and not _MEANT.search(token)


@lru_cache(maxsize=32768)
def words(found: Shape) -> int:
    """How many words say what happened."""
    return sum(len(token) > 1 and token != ANY for token in found)


def quotes_message(found: Shape, at: int) -> bool:
    """Whether the quote here follows a key that says that the message itself comes: `msg="`."""
    return at > 1 and found[at - 1] == "=" and found[at - 2] in _MESSAGE


def holds_value(found: Shape, at: int) -> bool:
    """Whether a value stands here; a key is none, nor is code that begins the message."""
    token = found[at]
    if at == 0 and _CODE.search(token):
        return False
    return is_value(token) and (found[at + 1 : at + 2] != ("=",) or "<" in token)


def _named(found: Shape, at: int) -> bool:
    """Whether a name or the word after `=` stands here; the first word says who speaks."""
    if at == 0 or found[at - 2 : at] == (":", ":") or found[at + 1 : at + 2] == ("=",):
        return False
    if found[at - 1] == "=" or (found[at - 1] == "<" and found[at + 1 : at + 2] == (">",)):
        return is_word(found[at])
    return is_name(found[at])


def _close(found: Shape, pieces: list[Piece], quote: int, closing: Piece, loose: bool) -> None:
    """Replace a quoted text that holds a value, or any when `loose`, but for its first verb."""
    inside = pieces[quote + 1 :]
    if not (loose or not inside or any(token == ANY for token, _, _ in inside)):
        pieces.append(closing)
        return
    start = pieces[quote][1]
    if quotes_message(found, start):
        pieces.append(closing)
        return
    argument = quote > 0 and pieces[quote - 1][0] in ARGUMENT
    verb = inside[:1] if len(inside) > 1 and inside[0][0].isupper() and not argument else []
    if verb:
        start = verb[0][2]
    pieces[quote:] = [*verb, (ANY, start, closing[2])]


def _condensed(pieces: Iterable[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for piece in pieces:
        token, start, end = piece
        if token not in CONDENSING:
            kept.append(piece)
            continue
        if token == ANY and kept:
            last = kept[-1][0]
            if last == ANY:
                kept[-1] = (ANY, kept[-1][1], end)
                continue
            if len(kept) > 1 and kept[-2][0] == ANY and last in SEPARATORS:
                kept.pop()
                kept[-1] = (ANY, kept[-1][1], end)
                continue
            if last in "<>~":  # less than, about
                start = kept.pop()[1]
                if kept and kept[-1][0] == ANY:
                    kept[-1] = (ANY, kept[-1][1], end)
                    continue
        elif token in _ENDS and kept and kept[-1][0] == ANY:
            kept[-1] = (ANY, kept[-1][1], end)
            continue
        elif token in _OPENING and len(kept) > 1:
            opening = _OPENING[token]
            inside = 1 if kept[-1][0] == opening else 2
            if kept[-inside][0] == opening and (inside == 1 or kept[-1][0] == ANY):
                del kept[-inside:]
                if kept and kept[-1][0] == ANY:
                    kept[-1] = (ANY, kept[-1][1], end)
                continue
        kept.append((token, start, end))
    return kept
