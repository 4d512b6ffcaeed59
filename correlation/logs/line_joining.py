"""Stack traces that the log store holds line by line, put together again. Pure.

Collectors that read a container's output keep every line as an entry of its own: the message, what
was thrown, each frame. What follows a line of its service within a second and reads like the rest
of a trace becomes part of that line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from correlation.telemetry import LogLine

GAP_SECONDS = 1.0
"""Longest pause between two lines of one trace."""

HEAD_GAP_SECONDS = 0.1
"""Longest pause between a message and the trace that is logged with it."""

MOST_LINES = 400
"""Lines of one trace at most; a dump of thousands of threads says no more than its start."""

_INDENTED = re.compile(
    r"\s+(?:at \S|\.\.\. \d+ (?:more|common)|File \"|\S+\.go:\d+|---> |--- End of"
    r"|\+ Exception Group|from \S+:\d+:in )"
)
_CHAIN = re.compile(
    r"Caused by: |Suppressed: | ?---> |--- End of|During handling of the above exception"
    r"|The above exception was the direct cause"
)
_THROWN = re.compile(r"(?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)\b")
_PHP = re.compile(
    r"(?:PHP )?Stack trace:$|\[stacktrace\]|#0 (?:/|\{main|\[internal|phar:|[A-Z]:\\)"
)
_PHP_MORE = re.compile(r"#\d+ |(?:PHP )?Stack trace:$|Next \S+: |\[previous exception\]|\"\}")
_RUBY = re.compile(r"(?:[\w-]+ \([\w.]+\) )?[^\s:]+:\d+:in [`'][^']+'$")
_LAST = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
_GO = re.compile(r"goroutine \d+ \[|\[signal |created by |exit status |[\w./*()\[\]{}-]+\(.*\)$")
_GO_HEAD = re.compile(r"panic: |fatal error: |.*\bpanic serving ")
_LOUD = re.compile(r"error|exception|fail|fatal|crit|severe|panic|uncaught|unhandled", re.I)
_CATEGORY = re.compile(r"(?:trce|dbug|info|warn|fail|crit): \S+\[\d+\]\s*$")
_TRACEBACK = "Traceback (most recent call last):"
_GROUP = "+ Exception Group Traceback (most recent call last):"
_STARTS = (_TRACEBACK, "goroutine ", "#0 ", "Stack trace:", "PHP Stack", "[stacktrace]", "stack b")


@dataclass(slots=True)
class _Open:
    """The line of a service that others may belong to; `mode` is "" before its first frame."""

    place: int
    last_at: float
    mode: str
    texts: list[str] = field(default_factory=list)


def joined(lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines, in order of time, with those of a trace as one: at its first one's time."""
    found: list[LogLine] = []
    latest: dict[str, _Open] = {}
    traces: list[_Open] = []
    for line in lines:
        group = latest.get(line.service)
        if group is not None and line.at - group.last_at <= GAP_SECONDS:
            mode = _continues(line, group)
            if mode is not None:
                if len(group.texts) == 1:
                    traces.append(group)
                if len(group.texts) < MOST_LINES:
                    group.texts.append(line.message)
                group.mode, group.last_at = mode, line.at
                continue
        latest[line.service] = _Open(len(found), line.at, _head_of(line.message), [line.message])
        found.append(line)
    for group in traces:
        head = found[group.place]
        found[group.place] = replace(head, message="\n".join(group.texts).rstrip())
    return found


def _head_of(text: str) -> str:
    """The kind of trace that begins with this line, "" for any other line."""
    if text.startswith(_TRACEBACK) or text.endswith(_GROUP):
        return "python"
    goes = ("panic" in text or text.startswith("fatal")) and _GO_HEAD.match(text)
    return "go" if goes else ""


def _continues(line: LogLine, group: _Open) -> str | None:
    """What kind of trace the line goes on with; None when it is a line of its own."""
    text, mode = line.message, group.mode
    if not text.strip():
        return mode if mode or _is_soon(line, group) else None
    if text[0] in " \t":
        if mode:
            return mode
        if _INDENTED.match(text):
            return "python" if 'File "' in text or "Exception Group" in text else "frames"
        return "" if _CATEGORY.match(group.texts[0]) else None
    if mode and _CHAIN.match(text):
        return mode
    if not (mode or text.startswith(_STARTS) or ":in " in text or _THROWN.match(text)):
        return None  # nearly every line
    soon = _is_soon(line, group)
    if text.startswith(_TRACEBACK):
        return "python" if mode == "python" or (soon and not mode) else None
    if mode == "python":
        last = group.texts[-1]
        ended = last[:1] not in " \t" or last.endswith("----")
        return mode if not ended and _LAST.match(text) else None
    if _PHP.match(text) or (mode == "php" and _PHP_MORE.match(text)):
        return "php" if mode in ("", "php") else None
    if _RUBY.match(text):
        return "ruby" if mode == "ruby" or (soon and not mode) else None
    if text == "stack backtrace:":
        return "frames" if soon and not mode else None
    if _GO.match(text):
        return "go" if mode == "go" or text.startswith("goroutine ") else None
    if text == "}" and mode == "frames":
        return mode
    alone = len(group.texts) == 1 and not _THROWN.match(group.texts[0])
    return "" if soon and alone and not mode and _THROWN.match(text) else None


def _is_soon(line: LogLine, group: _Open) -> bool:
    """Whether a line follows closely on one that tells of a failure."""
    closely = line.at - group.last_at <= HEAD_GAP_SECONDS
    return closely and _LOUD.search(group.texts[0]) is not None
