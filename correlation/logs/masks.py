"""What varies in a log line: numbers folded, then ids, addresses, paths, times masked.

Folding comes first and is cheap: lines that differ only in digits fold to one text, and all
that follows is a function of the folded text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

LONGEST_WORD = 500
"""Characters of one word masked at a time: some expressions take the square of it."""

_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 10
_UUID = re.compile(rb"\b[0a-fA-F]{1,8}(?:-[0a-fA-F]{1,4}){3}-[0a-fA-F]{1,12}\b")
_LONG_HEX = re.compile(rb"\b(?=[a-f]*0)[0a-f]{10,}\b")
_ZEROS = re.compile(r"00+")
_SPACE = re.compile(r"\s+")
# digits that are part of what a line says: code locations, and answers that tell of a failure
_MEANT = re.compile(
    r"(?<=[A-Za-z_]#)[0-9]+"
    r"|%[A-Z][A-Z_]*-\d-[A-Z0-9_]+(?=:)"  # the code of a message
    r"|(?:tatus(?:[ _-]?[Cc]ode)?|(?<![a-z])code|HTTP(?:/\d(?:\.\d)?)?)[\"']{0,2}[ =:]+[\"']?"
    r"5(?:0\d|1[01]|2\d|30|9[89])\b"
)
_TO_SPARED = {ord("0") + digit: 0xE000 + digit for digit in range(10)}
_FROM_SPARED = {0xE000 + digit: ord("0") + digit for digit in range(10)}

MASKS: tuple[tuple[str, str], ...] = (
    ("url", r"\b[a-z][a-z0-9+.-]{1,12}://[^\s\"'<>,)\]}]+"),
    ("id", r"\b[0-9a-fA-F]{1,12}(?:-[0-9a-fA-F]{1,8}){3}-[0-9a-fA-F]{1,12}\b"),
    ("time", r"\b\d+[-/.]\d+[-/.]\d+[T ]\d+:\d+(?::\d+(?:[.,]\d+)?)?(?:Z|[+-]\d+:?\d*)?"
     r"|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s)?(?:\d+\s)?"
     r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s(?:\s?\d+\s)?\d+:\d+:\d+"
     r"(?:\s[A-Z]{1,4}T)?(?:\s\d+\b(?!:))?"
     r"|\b\d+/[A-Z][a-z]{2}/\d+:\d+:\d+:\d+(?:\s[+-]\d+)?"),
    ("email", r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("addr", r"\b\d+(?:\.\d+){3}(?::\d+)?\b"
     r"|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b"
     r"|\[(?:[0-9a-f]{0,4}:){2,}[0-9a-f]*\](?::\d+)?"
     r"|(?<![\w:])(?=[a-f:]*\d)(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])"
     r"|\b[A-Za-z][\w-]*(?:\.[\w-]+){2,}:\d+\b"
     r"|\b(?:[0-9a-fA-F]{1,2}:){5,}[0-9a-fA-F]{1,2}\b"),
    ("hex", r"\b0[xX][0-9a-fA-F]+\b"
     r"|\b(?=[a-f]*\d+[a-f]+[0-9a-f]*\b|[a-f]{3,}\d+[0-9a-f]*\b)(?:[0-9a-f]{4,}|\d[0-9a-f]{2,})\b"
     r"|\b(?=[A-F]*\d+[A-F]+[0-9A-F]*\b|[A-F]{3,}\d+[0-9A-F]*\b)(?:[0-9A-F]{4,}|\d[0-9A-F]{2,})\b"),
    ("path", r"(?<![\w<>/.])(?:~|\.{1,2})?(?:/+[\w.@%+~$*-]+(?::[\w.@%+~$-]+)*){2,}/*"
     r"(?:\?[^\s\"']*)?"
     r"|(?<![\w<>/.])\.{1,2}/[\w.@%+~$-]+|\b[A-Za-z]:\\[^\s\"',;]+"),
    ("dur", r"(?<![\w.])[-+]?\d+(?:\.\d+)?\s?"
     r"(?:ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?|h|hours?|milliseconds|microseconds)\b"),
    ("size", r"(?<![\w.])\d+(?:\.\d+)?\s?(?:(?:[KMGTkmgt]i?)?[Bb]|bytes)\b"),
    ("num", r"(?<!\w)[-+]?\d+(?:[.,:/]\d+)*%?(?![A-Za-z_])"),
    ("num", r"(?<=_)-\d+|\d+"),
)  # fmt: skip
"""(placeholder, expression), tried in this order at each place; for any tool that masks."""

_TIMES = re.compile(next(expression for name, expression in MASKS if name == "time"))
_WORTH = re.compile(r"[^\s<>]*[0/\\@][^\s<>]*")
_UNITS = re.compile(
    r"<num> (?:(ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?|h|hours?|milliseconds|microseconds)"
    r"|(?:(?:[KMGTkmgt]i?)?[Bb]|bytes))\b"
)
_NAMES = [f"<{name}>" for name, _ in MASKS]
_ALL = re.compile("|".join(f"({expression})" for _, expression in MASKS))


def fold(text: str) -> bytes:
    """UTF-8 of the text with every run of digits as "0", of ten and more as "00" or longer.

    The cheapest key that lines of one template mostly share; `unfolded` gives it as text.
    """
    return _folded(_spared(text))


def fold_each(texts: Sequence[str]) -> list[bytes]:
    """`fold` of every text, several times cheaper than one by one; none may hold a line break."""
    together = "\n".join(map(_spared, texts))
    if "\1" in together:  # stands for a long run while runs are made short
        return [fold(text) for text in texts]
    return _folded(together).split(b"\n") if texts else []


def _spared(text: str) -> str:
    told = "5" in text and ("tatus" in text or "code" in text or "HTTP" in text)
    return _MEANT.sub(_spare, text) if told or "#" in text or "%" in text else text


def _folded(text: str) -> bytes:
    key = text.encode("utf-8", "surrogatepass").translate(_TO_ZERO)
    long = _LONG in key
    if long:
        key = key.replace(_LONG, b"\1")
    # three passes leave one zero of any run of up to nine
    key = key.replace(b"000", b"0").replace(b"00", b"0").replace(b"00", b"0")
    return key.replace(b"\1", b"00") if long else key


def without_ids(key: bytes) -> bytes:
    """A key with one id in place of any: dearer than `fold`, for keys not seen before."""
    if key.count(b"-") >= 4:
        key = _UUID.sub(b"0a0a-0a-0a-0a-0a0a", key)
    return _LONG_HEX.sub(b"0a0a0a0a", key)


def unfolded(key: bytes) -> str:
    """The text of a key, still without its numbers."""
    return key.decode("utf-8", "surrogatepass")


def is_spared(mark: str) -> bool:
    """Whether the character of a folded text stands for a digit that is part of the message."""
    return ord(mark) in _FROM_SPARED


def masked(text: str) -> str:
    """Placeholders for what varies in a folded text, blanks squeezed."""
    if "0" in text or "/" in text or "\\" in text or "@" in text:
        text = _ZEROS.sub("0", text)
        if "0:0" in text:
            text = _TIMES.sub("<time>", text)
        text = _WORTH.sub(_masked_word, text)
        if "<num> " in text:
            text = _UNITS.sub(_with_unit, text)
    if not text.isascii():
        text = text.translate(_FROM_SPARED)
    return _SPACE.sub(" ", text).strip()


def mask(text: str) -> str:
    """Replace ids, numbers, addresses, paths, times and durations by placeholders."""
    return masked(unfolded(fold(text)))


def _spare(match: re.Match[str]) -> str:
    found = match.group()
    if found[0].isdigit() or found[0] == "%":
        return found.translate(_TO_SPARED)
    return found[:-3] + found[-3:].translate(_TO_SPARED)


@lru_cache(maxsize=65536)
def _mask_word(word: str) -> str:
    return "".join(
        _ALL.sub(_placeholder, word[start : start + LONGEST_WORD])
        for start in range(0, len(word), LONGEST_WORD)
    )


def _masked_word(match: re.Match[str]) -> str:
    return _mask_word(match.group())


def _with_unit(match: re.Match[str]) -> str:
    return "<dur>" if match.group(1) else "<size>"


def _placeholder(match: re.Match[str]) -> str:
    return _NAMES[(match.lastindex or 1) - 1]
