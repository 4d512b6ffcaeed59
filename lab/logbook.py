"""Log lines in each service's own format, written to any store with `append`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from lab.pods import Pod
from lab.processes import EventLoop
from lab.world import NAMESPACE

LEVEL_LETTERS = {"info": "LOG", "warn": "WARNING", "error": "ERROR"}


class LogSink(Protocol):
    def append(
        self,
        labels: Mapping[str, str],
        at_ns: int,
        line: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None: ...


def logfmt(fields: Mapping[str, object]) -> str:
    """key=value pairs; values with spaces, quotes or `=` are quoted."""
    parts = []
    for key, value in fields.items():
        text = str(value)
        if not text or any(letter in text for letter in ' "=\n'):
            text = json.dumps(text, ensure_ascii=False)
        parts.append(f"{key}={text}")
    return " ".join(parts)


def stamp(at: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class LogBook:
    def __init__(self, loop: EventLoop, sink: LogSink) -> None:
        self._loop = loop
        self._sink = sink

    def write(self, pod: Pod, level: str, message: str, stack: str = "", **fields: object) -> None:
        """One entry of a pod; `stack` is folded into it as further lines."""
        now = self._loop.now
        log_format = pod.spec.log_format
        if log_format == "json":
            record: dict[str, object] = {"ts": stamp(now), "level": level, "msg": message}
            if stack:
                record["stack"] = stack
            line = json.dumps({**record, **fields}, separators=(",", ":"))
        elif log_format == "postgres":
            when = datetime.fromtimestamp(now, UTC)
            text = f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03d} UTC"
            process = fields.get("pid", 1)
            line = f"{text} [{process}] {LEVEL_LETTERS[level]}:  {message}"
        else:
            line = logfmt({"ts": stamp(now), "level": level, "msg": message, **fields})
            if stack:
                line = f"{line}\n{stack}"
        labels = pod.log_labels.get(level)
        if labels is None:
            labels = pod.log_labels[level] = {
                "app": pod.spec.name,
                "namespace": NAMESPACE,
                "pod": pod.name,
                "container": pod.spec.name,
                "level": level,
                "service_name": pod.spec.name,
            }
        self._sink.append(labels, int(now * 1e9), line)
