"""Stack traces of PHP and Ruby: the type of what was thrown, and frames, top first. Pure.

PHP says where it was thrown and then who called whom from where; the function that a line lies
in is the one the next frame called. Ruby names the function beside each line.
"""

from __future__ import annotations

import re

Frame = tuple[str, str]
"""(path, function)."""

_PHP_THROWN = re.compile(
    r"(?:Uncaught (?:exception ')?|^Next |^|\[object\] \()"
    r"((?:[A-Za-z_]\w*\\)*[A-Z]\w*)(?:'|\(code: [^)]*\))?(?: with message|:) ?.*?"
    r"(?: in | at )((?:/|[A-Za-z]:\\|phar:)[^\s:()]+)(?::| on line |\()(\d+)",
    re.MULTILINE,
)
_PHP_FRAME = re.compile(
    r"^#\d+ (?:(\[internal function\])|([^\n]+?)\((\d+)\)): ([^\n(]+)\(|^#\d+ (\{main\})",
    re.MULTILINE,
)
_PHP_CHAINED = re.compile(r"^Next ", re.MULTILINE)
_RUBY_FRAME = re.compile(
    r"^\s*(?:from )?((?:[\w-]+ \([\w.]+\) )?[^\s:]+):\d+:in [`']"
    r"(?:(?:block|rescue|ensure)(?: \(\d+ levels\))? in )*([^'\n]+)'",
    re.MULTILINE,
)
_RUBY_TYPE = re.compile(
    r"\(((?:[A-Z]\w*::)*[A-Z]\w*)\)\s*$"  # after the message of what nobody caught
    r"|\b((?:[A-Z]\w*::)+[A-Z]\w*|[A-Z]\w*(?:Error|Exception|Timeout|Interrupt))(?=:? |:$|$)",
    re.MULTILINE,
)
_LIBRARY = re.compile(
    r"/vendor/|^phar:|/gems/|/lib/ruby/|^<internal:|^[\w-]+ \([\w.]+\) |^\[internal"
)


def php(text: str) -> tuple[str, list[Frame]] | None:
    """(type, frames) of what was thrown last, None when the text is no trace of PHP."""
    if "\n#0 " not in text and "\n#1 " not in text:
        return None
    chained = [match.start() for match in _PHP_CHAINED.finditer(text)]
    last = text[chained[-1] :] if chained else text
    thrown = _PHP_THROWN.search(last)
    calls = [
        (path or "", int(line or 0), function or main or "")
        for _, path, line, function, main in _PHP_FRAME.findall(last)
    ]
    if thrown is None or not calls:
        return None
    kind, path, line = thrown.group(1), thrown.group(2), int(thrown.group(3))
    # calls above the place: the handler that made an exception of a warning
    above = next((at for at, call in enumerate(calls) if call[:2] == (path, line)), None)
    places = [(path, line, ""), *calls] if above is None else calls[above:]
    inside = [called for _, _, called in places[1:]] + ["{main}"]
    frames = [(at, called) for (at, _, _), called in zip(places, inside, strict=True) if at]
    return kind, frames


def ruby(text: str) -> tuple[str, list[Frame]] | None:
    """(type, frames), None when the text is no trace of Ruby; the type may not be said."""
    found = list(_RUBY_FRAME.finditer(text))
    if not found or "\n" not in text:
        return None
    head = text[: found[0].start()] or text.split("\n", 1)[0]
    kind = _RUBY_TYPE.search(head)
    named = (kind.group(1) or kind.group(2)) if kind else "exception"
    return named, [(match.group(1), match.group(2)) for match in found]


def begins(line: str) -> bool:
    """Whether the line is the first of a Ruby program that ended: its place, message and type."""
    return _RUBY_FRAME.match(line) is not None


def is_library(path: str) -> bool:
    """Whether a frame lies in a package, in the language's own library or in its engine."""
    return bool(_LIBRARY.search(path))
