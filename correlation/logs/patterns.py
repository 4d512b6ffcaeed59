"""The shape of a log line: header stripped, values masked, stack traces folded.

One configuration for every system. JSON and logfmt are recognised and only their message
(with the error beside it) is templated; a line that is neither is templated after its header.
Lines given together are compared: a place that takes many values is a variable.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from correlation.logs.fields import Fields, normal_level, read_fields
from correlation.logs.headers import after_header
from correlation.logs.masks import fold, fold_each, is_spared, mask, masked, unfolded, without_ids
from correlation.logs.merging import FEW_WORDS, merged, rendered
from correlation.logs.shapes import Shape, outline, shape, words
from correlation.logs.stack_traces import announces
from correlation.logs.stack_traces import fold as fold_stack

__all__ = ["fingerprint", "fingerprints", "fits", "mask", "normal_level"]

MAX_CHARACTERS = 4000

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LOUD = {"panic: ": "fatal", "fatal: ": "fatal", "error: ": "error"}
_NUMERALS = frozenset("0123456789")
_PRIORITY = re.compile(r"<\d{1,3}>(?=[A-Za-z_])")
_ANNOUNCED = re.compile(
    r"(?:Exception in thread (?:\"[^\"]*\"|\S+)|Unhandled exception\.|Uncaught(?: exception)?"
    r"|\+ Exception Group|\s*\{\"[^\n]*\[object\] \():?\s*$"
)
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One line less its header: masked message, folded stack trace, level."""

    text: str
    stack: str
    level: str
    shape: Shape


def fingerprint(message: str) -> tuple[str, str, str]:
    """(template, template id, level) of one line by itself; level is "" when it does not say.

    The id is 12 hex digits of BLAKE2b over the template's tokens: the same in every run and
    process. Levels are trace, debug, info, warn, error, fatal.
    """
    return fingerprints([message])[0]


def fingerprints(lines: Sequence[str]) -> list[tuple[str, str, str]]:
    """`fingerprint` of every line, in order, with the lines compared with each other.

    Depends on the set of lines and not on their order: messages that differ in what looks like
    a value, or in one word that takes many forms, get one template and id.
    """
    keys = _keys(set(lines))
    first: dict[Hashable, str] = {}
    for line, key in keys.items():
        other = first.get(key)
        if other is None or line < other:
            first[key] = line
    known: dict[Hashable, _Parsed] = {}
    for key, line in sorted(first.items(), key=lambda pair: pair[1]):
        if key not in known:
            shared = without_ids(key) if isinstance(key, bytes) else key
            if shared not in known:
                known[shared] = _parsed(shared, line)
            known[key] = known[shared]
    texts: dict[Shape, set[str]] = {}
    for parsed in known.values():
        texts.setdefault(parsed.shape, set()).add(_shown(parsed))
    template_of = merged(texts)
    members: dict[Shape, set[str]] = {}
    for found, template in template_of.items():
        members.setdefault(template, set()).update(texts[found])
    named = {
        template: (
            rendered(min(shown), template) if len(shown) > 1 else next(iter(shown)),
            _identity(template),
        )
        for template, shown in members.items()
    }
    answers = {
        key: (*named[template_of[parsed.shape]], parsed.level) for key, parsed in known.items()
    }
    return [answers[keys[line]] for line in lines]


def fits(parts: Sequence[str], message: str) -> bool:
    """Whether a line is made of the fixed `parts` of a pattern, in order, with anything between."""
    if len(parts) == 1:
        return message == parts[0]
    first, *middle, last = parts
    position, end = len(first), len(message) - len(last)
    if not (message.startswith(first) and message.endswith(last) and position <= end):
        return False
    for part in middle:
        found = message.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _keys(lines: Iterable[str]) -> dict[str, Hashable]:
    """Equal for lines that differ in numbers only; many-line ones stand alone.

    Bytes for a plain line, `Fields` of folded text for a structured one, else the line itself.
    """
    plain: list[str] = []
    keys: dict[str, Hashable] = {}
    for line in lines:
        if line[:1] == "{" or "\n" in line or "\x1b" in line or len(line) > MAX_CHARACTERS:
            keys[line] = _key(line[:MAX_CHARACTERS])
        else:
            plain.append(line)
    keys.update(zip(plain, fold_each(plain), strict=True))
    return keys


def _key(line: str) -> Hashable:
    if "\x1b" in line or "\n" in line:
        return line
    if line.startswith("{"):
        fields = read_fields(line)
        if fields is None:
            return line
        if "\n" in fields.message or "\n" in fields.problem or "\x1b" in fields.message:
            return fields
        return replace(
            fields,
            message=unfolded(without_ids(fold(fields.message))),
            problem=unfolded(without_ids(fold(fields.problem))) if fields.problem else "",
        )
    return fold(line)


def _parsed(key: Hashable, line: str) -> _Parsed:
    if isinstance(key, bytes):
        text = unfolded(key).strip()
        if "=" in text[:64]:
            fields = _from_fields(_PRIORITY.sub("", line[:MAX_CHARACTERS].strip()))
            if fields is not None:
                return fields
        position, level = after_header(text)
        body = text[position:]
        inside = _after(body, text[:position], line)
        if inside is not None:
            return _of_fields(inside if inside.level else replace(inside, level=level))
        return _made(masked(body), "", level or _LOUD.get(body[:7].lower(), ""))
    if isinstance(key, Fields):
        return _of_fields(key)
    text = line[:MAX_CHARACTERS]
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = text.strip()
    return _from_fields(text) or _made(*_from_plain(text))


def _after(body: str, header: str, line: str) -> Fields | None:
    """The fields of a structured text after a header: read from the line where it is JSON."""
    if body.startswith("{") and "{" not in header:
        return read_fields(line[line.index("{") :][:MAX_CHARACTERS])
    if header and ('"' in body[:1] or "=" in body[:64]):
        return read_fields(body)
    return None


def _from_fields(text: str) -> _Parsed | None:
    fields = read_fields(text)
    return None if fields is None else _of_fields(fields)


def _of_fields(fields: Fields) -> _Parsed:
    message, stack, level = _from_plain(_ANSI.sub("", fields.message))
    if fields.problem:
        problem, stack_of_problem, _ = _from_plain(fields.problem)
        stack = stack or stack_of_problem
        message = f"{message}: {problem}" if message and problem else message or problem
    if fields.stack:
        stack = fold_stack(fields.stack) or mask(fields.stack.split("\n", 1)[0])
    return _made(message, stack, fields.level or level)


def _from_plain(text: str) -> tuple[str, str, str]:
    """(masked message, folded stack, level) of a text without structure."""
    clean = unfolded(fold(text))
    position, level = after_header(clean)
    body = clean[position:]
    if not level:
        level = _LOUD.get(body[:7].lower(), "")
    if "\n" not in body:
        return masked(body), "", level
    raw = _same_place(text, clean[:position])
    stack = fold_stack(raw)
    if not stack:
        return masked(body), "", level
    level = level or ("fatal" if stack.startswith("fatal error: ") else "error")
    return _before_trace(raw.split("\n", 1)[0], stack), stack, level


def _before_trace(head: str, stack: str) -> str:
    """What the first line says besides the exception; "" when it only announces it."""
    kind = stack.split(" at ", 1)[0]
    if announces(head):
        return ""
    before, thrown, _ = head.partition(kind)
    head = _ANNOUNCED.sub("", before) if thrown else head.partition(" Uncaught ")[0]
    first = mask(_ANNOUNCED.sub("", head.replace(_TRACEBACK, ""))).rstrip(": ")
    return "" if first.startswith(kind) else first


def _same_place(text: str, header: str) -> str:
    """`text` after the characters that fold to `header`."""
    marks = sum(mark != "0" and not is_spared(mark) for mark in header)
    position = 0
    while marks and position < len(text):
        marks -= text[position] not in _NUMERALS
        position += 1
    if header.endswith("0"):
        while position < len(text) and text[position] in _NUMERALS:
            position += 1
    return text[position:]


def _made(text: str, stack: str, level: str) -> _Parsed:
    found = shape(text)
    return _Parsed(text, stack, level, (*found, f"| {stack}") if stack else found)


def _shown(parsed: _Parsed) -> str:
    if not parsed.stack:
        return parsed.text
    return f"{parsed.text} | {parsed.stack}" if parsed.text else parsed.stack


@lru_cache(maxsize=32768)
def _identity(template: Shape) -> str:
    """Of the template's outline, so that a host seen alone and one of many have the same id."""
    canonical = tuple(token for token, _, _ in outline(template, loose=False))
    if words(canonical) < FEW_WORDS:
        canonical = template
    joined = " ".join(canonical).encode("utf-8", "replace")
    return hashlib.blake2b(joined, digest_size=6).hexdigest()
