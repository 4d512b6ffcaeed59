"""The shape of a log line: header stripped, values masked, stack traces folded.

One configuration for every system. JSON and logfmt are recognised and only their message
(with the error beside it) is templated; a line that is neither is templated after its header.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any

from correlation.stack_traces import fold

MAX_CHARACTERS = 4000

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LEVELS = {
    "trace": "trace", "debug": "debug", "dbg": "debug", "info": "info", "information": "info",
    "notice": "info", "log": "info", "warn": "warn", "warning": "warn", "wrn": "warn",
    "error": "error", "err": "error", "severe": "error", "fail": "error", "eror": "error",
    "fatal": "fatal", "critical": "fatal", "crit": "fatal", "panic": "fatal", "emerg": "fatal",
    "alert": "fatal",
}  # fmt: skip
_LEVEL_WORD = re.compile(
    r"\b(trace|debug|info|notice|log|warn(?:ing)?|error|err|severe|fatal|critical|crit|panic)\b",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"""(?xi)
    \s*(?:
      \[?\(?\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)?
        (?:\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?\)?\]?
    | \[?\d\d?[/-](?:\w{3}|\d\d)[/-]\d{4}[:\ ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\s[+-]\d{4})?\]?
    | (?:mon|tue|wed|thu|fri|sat|sun)?,?\s*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)
        \s+\d+\s+\d\d:\d\d:\d\d(?:\.\d+)?
    | [iwef]\d{4}\s\d\d:\d\d:\d\d\.\d+\s+\d+\s+\S+:\d+\]
    | \[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?
    | \[?\b(?:trace|debug|info(?:rmation)?|notice|log|warn(?:ing)?|error|err|severe|fatal|critical
        |crit)\b\]?:?(?=\s|$)
    | \[\d+\]:? | \[(?:main|[\w.-]*(?:thread|exec|worker|pool)[\w.-]*\d*)\]
    | \[pid[:\ ]*\d+\] | pid[=:]\d+ | [-|](?=\s)
    )\s*"""
)
_GLOG = re.compile(r"^([IWEF])\d{4}\s\d\d:\d\d:\d\d\.\d+")
_LOGFMT_PAIR = re.compile(r'([A-Za-z_][\w.@/-]*)=("(?:[^"\\]|\\.)*"?|[^\s"]*)')
_LOGFMT_START = re.compile(r'[A-Za-z_][\w.@/-]*=(?:"|\S)')
_CUT_JSON = re.compile(r'"(message|msg|log|event|error)"\s*:\s*"((?:[^"\\]|\\.)*)')
_CUT_LEVEL = re.compile(r'"(?:level|severity|lvl)"\s*:\s*"(\w+)"')
_MESSAGE_KEYS = ("message", "msg", "log", "event", "body", "text", "short_message", "@message")
_ERROR_KEYS = ("error", "err", "error.message", "exception.message", "reason")
_STACK_KEYS = (
    "exception", "stack_trace", "stacktrace", "stack", "exc_info", "error.stack_trace",
    "exception.stacktrace", "traceback",
)  # fmt: skip
_LEVEL_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "Level")

_MASKS = re.compile(
    r"""(?x)
    (?P<keep>\b(?:[Ss]tatus(?:[ _-]?code)?|code|HTTP(?:/\d(?:\.\d)?)?)["']?[ =:]+[1-5]\d\d\b
      | \w\#\d+)
  | (?P<url>\b[a-z][a-z0-9+.-]{1,12}://[^\s"'<>,)\]}]+)
  | (?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)
  | (?P<time>\b\d{4}-\d\d-\d\d[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?
      | \b\d\d?/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\s[+-]\d{4})?)
  | (?P<email>\b[\w.+-]+@[\w-]+\.[\w.-]+\b)
  | (?P<addr>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b
      | (?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b
      | \[(?:[0-9a-f]{0,4}:){2,}[0-9a-f]*\](?::\d+)?)
  | (?P<hex>\b0[xX][0-9a-fA-F]+\b
      | \b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b
      | \b(?=[0-9A-F]*\d)(?=[0-9A-F]*[A-F])[0-9A-F]{8,}\b)
  | (?P<path>(?<![\w<>/.])(?:/[\w.@%+~:-]+){2,}/? | \b[A-Za-z]:\\[^\s"']+)
  | (?P<dur>(?<![\w.])[-+]?\d+(?:\.\d+)?\s?
      (?:ns|us|µs|ms|s|sec|secs|seconds|min|minutes|h|hours)\b)
  | (?P<size>(?<![\w.])\d+(?:\.\d+)?\s?(?:[KMGT]i?B|bytes|kb|mb|gb)\b)
  | (?P<id>\b[A-Za-z]+[_-]?\d{4,}\b
      | \b(?=[A-Za-z0-9]*\d[A-Za-z]*\d)(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])
        [A-Za-z0-9]{12,}\b)
  | (?P<num>(?<![\w])[-+]?\d+(?:[.,:/]\d+)*%?(?![A-Za-z_]))
    """
)
_NAMES = {"addr": "<addr>", "hex": "<hex>", "uuid": "<id>", "dur": "<dur>", "url": "<url>"}
_KEPT = re.compile(
    r"""\b(?:[Ss]tatus(?:[ _-]?code)?|code|HTTP(?:/\d(?:\.\d)?)?)["']?[ =:]+[1-5]\d\d\b"""
)
_RUN = re.compile(r"[0-9a-f-]{12,}|(?<![A-Za-z_#\d])\d+")
_RELEVANT = (*_MESSAGE_KEYS, *_ERROR_KEYS, *_STACK_KEYS, *_LEVEL_KEYS)
_RELEVANT_PAIR = re.compile(
    r"(?:^|\s)("
    + "|".join(re.escape(name) for name in _RELEVANT)
    + r')=("(?:[^"\\]|\\.)*"?|[^\s"]*)'
)
_WORTH_MASKING = re.compile(r"[\d/\\@]")
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=32768)
def fingerprint(message: str) -> tuple[str, str, str]:
    """(template, template id, level) of one line; level is "" when the line does not say.

    The id is 12 hex digits of BLAKE2b over the template: the same in every run and process.
    Levels are trace, debug, info, warn, error, fatal.
    """
    text = message[:MAX_CHARACTERS]
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = text.strip()
    template, level = _template(text)
    digest = hashlib.blake2b(template.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return template, digest, level


def fingerprints(lines: Sequence[str]) -> list[tuple[str, str, str]]:
    """`fingerprint` of every line, in order; lines that differ only in values share one parse.

    The memory lasts for one call, so answers depend on these lines alone.
    """
    known: dict[Hashable, tuple[str, str, str]] = {}
    shapes = []
    for line in lines:
        key = _key(line)
        found = known.get(key)
        if found is None:
            found = known[key] = fingerprint(line)
        shapes.append(found)
    return shapes


def _key(line: str) -> Hashable:
    """Equal for lines of one template, and cheap: what the template is made of, less values.

    Of JSON and logfmt the fields that matter; of other lines the text with runs of digits
    folded, but for digits glued to a letter or a `#` and status codes, which are not masked.
    """
    if line.startswith("{"):
        try:
            fields = json.loads(line)
            text = [fields[name] for name in _RELEVANT if name in fields]
        except (ValueError, RecursionError, TypeError):
            return line
        if text and all(isinstance(value, str) for value in text):
            return _folded("\x1f".join(text))
        return line
    pairs = _RELEVANT_PAIR.findall(line) if _LOGFMT_START.match(line) else ()
    if pairs:
        return (_folded(" ".join(map("=".join, pairs))), line.count("=") > 1)
    return _folded(line[:MAX_CHARACTERS])


def _folded(text: str) -> Hashable:
    kept = _KEPT.findall(text) if "tatus" in text or "code" in text or "HTTP" in text else ()
    return (_RUN.sub("0", text), *kept)


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


def mask(text: str) -> str:
    """Replace ids, numbers, addresses, paths, times and durations by placeholders."""
    if _WORTH_MASKING.search(text):
        text = _MASKS.sub(_placeholder, text)
    return _SPACE.sub(" ", text).strip()


@lru_cache(maxsize=1024)
def normal_level(word: str) -> str:
    """A level in our words, "" when unknown."""
    return _LEVELS.get(word.strip().lower(), "")


def _placeholder(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "keep":
        return match.group()
    if kind == "id" and match.group()[-1].isdigit():
        prefix = re.match(r"[A-Za-z]+[_-]?", match.group())
        if prefix and match.group()[prefix.end() :].isdigit():
            return prefix.group() + "<num>"
    return _NAMES.get(kind) or f"<{kind}>"


def _template(text: str) -> tuple[str, str]:
    if text.startswith("{"):
        found = _from_json(text)
        if found:
            return found
    elif _LOGFMT_START.match(text):
        found = _from_logfmt(text)
        if found:
            return found
    return _from_plain(text)


def _from_json(text: str) -> tuple[str, str] | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        cut = _CUT_JSON.search(text)
        if not cut:
            return None
        level = _CUT_LEVEL.search(text)
        body, own = _from_plain(cut.group(2).replace("\\n", "\n"))
        return body, (normal_level(level.group(1)) if level else "") or own
    return _from_fields(fields) if isinstance(fields, dict) else None


def _from_logfmt(text: str) -> tuple[str, str] | None:
    fields = {key: _unquote(value) for key, value in _LOGFMT_PAIR.findall(text)}
    if not any(key in fields for key in (*_MESSAGE_KEYS, *_ERROR_KEYS)) or len(fields) < 2:
        return None
    return _from_fields(fields)


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    inner = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
    return inner.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t")


def _from_fields(fields: dict[str, Any]) -> tuple[str, str] | None:
    message = _first(fields, _MESSAGE_KEYS)
    nested = fields.get("error")
    if isinstance(nested, dict):
        fields = {**fields, "error": nested.get("message"), "stack": nested.get("stack")}
    problem = _first(fields, _ERROR_KEYS)
    if not message and not problem:
        return None
    level = normal_level(_first(fields, _LEVEL_KEYS))
    template, own = _from_plain(message) if message else ("", "")
    if problem and problem not in message:
        folded = _from_plain(problem)[0]
        template = f"{template}: {folded}" if template else folded
    stack = _first(fields, _STACK_KEYS)
    if stack:
        template += " | " + (fold(stack) or mask(stack.split("\n", 1)[0]))
    return template, level or own


def _first(fields: dict[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _from_plain(text: str) -> tuple[str, str]:
    """Template and level of a line without structure; a trace in it is folded."""
    glog = _GLOG.match(text)
    level = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}[glog.group(1)] if glog else ""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    position = 0
    while (header := _HEADER.match(text, position)) and header.end() > position:
        word = _LEVEL_WORD.search(header.group())
        if word and not level:
            level = normal_level(word.group())
        position = header.end()
    body = text[position:]
    if not level and body[:7].lower() in ("panic: ", "fatal: ", "error: "):
        level = normal_level(body[:5])
    if "\n" in body:
        head = body.split("\n", 1)[0]
        folded = fold(body)
        if folded:
            first = mask(head.replace("Traceback (most recent call last):", "")).rstrip(": ")
            same = not first or first.startswith(folded.split(" at ", 1)[0])
            return (folded if same else f"{first} | {folded}"), level or "error"
    return mask(body), level
