"""Log lines that are JSON or logfmt: which fields hold the message, the error and the level."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from correlation.logs.headers import LEVELS

_MESSAGE_KEYS = ("message", "msg", "log", "event", "body", "text", "short_message", "@message",
                 "@m", "MESSAGE", "Message", "@mt", "textPayload")  # fmt: skip
_ERROR_KEYS = ("error", "err", "error.message", "exception.message", "reason")
_STACK_KEYS = (
    "exception", "stack_trace", "stacktrace", "stack", "exc_info", "error.stack_trace",
    "error.stack", "exception.stacktrace", "traceback", "@x", "Exception",
)  # fmt: skip
_NESTED_STACKS = ("stack", "stacktrace", "stack_trace", "backtrace")
_LEVEL_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "Level",
               "LogLevel")  # fmt: skip
_NUMBERED = {"10": "trace", "20": "debug", "30": "info", "40": "warn", "50": "error", "60": "fatal"}

_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"?|[^\s"]*)')
_KLOG = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s+[\w./-]+=|\s*$)')
_START = re.compile(r'[A-Za-z_][\w.@/-]*=(?:"|\S)')
_CUT = re.compile(r'"(message|msg|log|event|error)"\s*:\s*"((?:[^"\\]|\\.)*)')
_CUT_LEVEL = re.compile(r'"(?:level|severity|lvl)"\s*:\s*"(\w+)"')


@dataclass(frozen=True, slots=True)
class Fields:
    """What a structured line says; "" where it does not. `level` is in our words."""

    message: str
    problem: str = ""
    stack: str = ""
    level: str = ""


@lru_cache(maxsize=1024)
def normal_level(word: str) -> str:
    """A level in our words (trace, debug, info, warn, error, fatal), "" when unknown."""
    return LEVELS.get(word.strip().lower(), "")


def read_fields(text: str) -> Fields | None:
    """The fields of a JSON, logfmt or klog line; None when it is none or holds no message."""
    if text.startswith("{"):
        return _from_json(text)
    if text.startswith('"'):
        return _from_klog(text)
    return _from_logfmt(text) if _START.match(text) else None


def _from_json(text: str) -> Fields | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        cut = _CUT.search(text)
        if cut is None:
            return None
        level = _CUT_LEVEL.search(text)
        message = cut.group(2).replace("\\n", "\n").replace('\\"', '"')
        return Fields(message, level=normal_level(level.group(1)) if level else "")
    return _chosen(fields) if isinstance(fields, dict) else None


def _from_logfmt(text: str) -> Fields | None:
    fields = {key: _unquoted(value) for key, value in _PAIR.findall(text)}
    if not any(key in fields for key in (*_MESSAGE_KEYS, *_ERROR_KEYS)) or len(fields) < 2:
        return None
    return _chosen(fields)


def _from_klog(text: str) -> Fields | None:
    """A quoted message with pairs after it."""
    said = _KLOG.match(text)
    if said is None or not said.group(1):
        return None
    fields = {key: _unquoted(value) for key, value in _PAIR.findall(text[said.end() :])}
    return _chosen({**fields, "message": _unquoted(said.group())})


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    inner = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
    return inner.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t")


def _chosen(fields: dict[str, Any]) -> Fields | None:
    nested = fields.get("error") or fields.get("err") or fields.get("exception")
    if isinstance(nested, dict):
        fields = {**fields, "error": nested.get("message"), "stack": _stack_of(nested)}
    message = _first(fields, _MESSAGE_KEYS)
    problem = _first(fields, _ERROR_KEYS)
    if not message and not problem:
        return None
    level = _first(fields, _LEVEL_KEYS)
    return Fields(
        message,
        "" if problem in message else problem,
        _first(fields, _STACK_KEYS),
        _NUMBERED.get(level) or normal_level(level),
    )


def _stack_of(nested: dict[str, Any]) -> str:
    """The stack of an error that is an object of its own: a text, or a list of frames, which
    stands without the type that is a field beside it."""
    stack = next((nested[key] for key in _NESTED_STACKS if nested.get(key)), "")
    if not isinstance(stack, list):
        return str(stack)
    kind = next((nested[key] for key in ("class", "name", "type") if nested.get(key)), "")
    return "\n".join([f"{kind}: {nested.get('message', '')}", *map(str, stack)])


def _first(fields: dict[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""
