"""What a change's text says was edited: lines added and removed, and settings that got a new value.

Reads unified diffs, whole or cut, and the short forms people and tools write into titles
("pool_size 40 -> 8", "search_v2 off->on"). Pure; unknown formats give fewer facts, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

MOST_LINES = 600
"""Of a longer diff only the first lines are read."""

ALIKE = 0.75
"""A removed and an added line that share this much, numbers aside, are one line edited."""

_SECONDS = {
    "ns": 1e-9, "nano": 1e-9, "nanosecond": 1e-9, "us": 1e-6, "microsecond": 1e-6, "ms": 1e-3,
    "msec": 1e-3, "milli": 1e-3, "millis": 1e-3, "millisecond": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
    "d": 86400.0, "day": 86400.0,
}  # fmt: skip
_SIZES = {
    "k": 1e3, "kb": 1e3, "ki": 1024.0, "kib": 1024.0, "mb": 1e6, "mi": 2.0**20, "mib": 2.0**20,
    "g": 2.0**30, "gb": 1e9, "gi": 2.0**30, "gib": 2.0**30, "t": 1e12, "tb": 1e12,
    "ti": 2.0**40, "tib": 2.0**40,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.])(\d+(?:_\d{3})*(?:\.\d+)?)\s*(?:[*x]\s*)?(?:[a-z_]*[a-z_]\.(?:of)?)?"
    r"([a-z]{1,12})?(?![\w])",
    re.IGNORECASE,
)
_OLD_STYLE = re.compile(r"(?<=[a-z])(\d+)([kmg])\b", re.IGNORECASE)  # -Xmx2g
_ABOUT_SIZE = re.compile(r"mem|heap|xm[xsn]|bytes|buffer|disk|storage", re.IGNORECASE)
_ABOUT_CPU = re.compile(r"\bcpus?\b|\bcores?\b|millicores", re.IGNORECASE)
_UNIT_FIRST = re.compile(  # Duration.ofSeconds(30), timedelta(minutes=5)
    r"\b(?:(?:of|from)(?P<called>nano|milli|second|minute|hour|day)s?\((?P<of>\d[\d.]*)\)"
    r"|(?P<named>millisecond|second|minute|hour|day)s\s*[=:]\s*(?P<by>\d[\d.]*))",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"\b(true|false|on|off|enabled?|disabled?|yes|no|always|never|debug|info|warn|warning|error)\b",
    re.IGNORECASE,
)
_ON = frozenset({"true", "on", "enable", "enabled", "yes", "always", "debug"})
_COMMENT = re.compile(r"^\s*(//|#(?!include|\[)|--\s|\*|/\*|\*/|<!--|'''|\"\"\"|;)")
_TOLD = re.compile(
    r"([\w.\- ]{2,60}?)[\s:=]+(?:from\s+|was\s+)?(\d[\w.]*|true|false|on|off|enabled|disabled)\s*"
    r"(?:->|=>|→|to)\s*(\d[\w.]*|true|false|on|off|enabled|disabled)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Setting:
    """A value that was edited: `name` as written, `ratio` new / old (None for switches).

    `ratio` is 0 where a number became 0, infinity where it was 0; `turned` is +1 for a switch
    turned on, -1 for one turned off, 0 for a number.
    """

    name: str
    before: str
    after: str
    ratio: float | None
    turned: int = 0


@dataclass(frozen=True)
class Diff:
    """Lines without their sign and without comments; `after` is the new text of every hunk."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    after: tuple[tuple[str, bool], ...] = ()
    settings: tuple[Setting, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing but comments and white space was edited."""
        return not self.added and not self.removed


@lru_cache(maxsize=512)
def read_diff(text: str) -> Diff:
    """The edits of a unified diff; empty for an empty text."""
    added: list[str] = []
    removed: list[str] = []
    after: list[tuple[str, bool]] = []
    settings: list[Setting] = []
    gone: list[str] = []
    come: list[str] = []
    name_above = ""

    def close() -> None:
        settings.extend(_edited(gone, come, name_above))
        gone.clear()
        come.clear()

    for raw in text.splitlines()[:MOST_LINES]:
        line = _UNIT_FIRST.sub(_unit_last, raw)
        if line.startswith(("+++", "---", "@@", "diff ", "index ")):
            close()
            continue
        sign, body = (line[:1], line[1:]) if line[:1] in ("+", "-", " ") else (" ", line)
        if _COMMENT.match(body) or not body.strip():
            continue
        if sign == "-":
            if come:
                close()
            removed.append(body)
            gone.append(body)
        elif sign == "+":
            added.append(body)
            come.append(body)
            after.append((body, True))
        else:
            close()
            name_above = body
            after.append((body, False))
    close()
    common = _multiset_common(removed, added)
    return Diff(
        tuple(_without(added, common)),
        tuple(_without(removed, common)),
        tuple(after),
        tuple(settings),
    )


def told_settings(title: str) -> tuple[Setting, ...]:
    """Settings a title tells the old and the new value of."""
    found = []
    for name, before, after in _TOLD.findall(title):
        setting = _setting(name.strip(), before, after)
        if setting is not None:
            found.append(setting)
    return tuple(found)


def _multiset_common(removed: list[str], added: list[str]) -> dict[str, int]:
    """Lines that were only moved or indented: how often each stands on both sides."""
    counts: dict[str, list[int]] = {}
    for side, lines in enumerate((removed, added)):
        for line in lines:
            counts.setdefault(line.strip(), [0, 0])[side] += 1
    return {line: min(pair) for line, pair in counts.items() if min(pair)}


def _without(lines: list[str], common: dict[str, int]) -> Iterator[str]:
    left = dict(common)
    for line in lines:
        if left.get(line.strip(), 0):
            left[line.strip()] -= 1
        else:
            yield line


def _edited(gone: list[str], come: list[str], name_above: str) -> Iterator[Setting]:
    """Settings among lines that were replaced: pairs alike but for a value."""
    free = list(come)
    above = ""
    for old in gone:
        masked = _masked(old)
        best = max(free, key=lambda new: _alike(masked, _masked(new)), default=None)
        if best is not None and _alike(masked, _masked(best)) >= ALIKE:
            free.remove(best)
            yield from _changed_values(old, best, above or name_above)
        above = old


def _unit_last(match: re.Match[str]) -> str:
    return f" {match['of'] or match['by']} {match['called'] or match['named']}"


def _alike(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other).ratio()


def _masked(line: str) -> str:
    text = _OLD_STYLE.sub("#", line.strip())
    return _SWITCH.sub("?", _NUMBER.sub("#", text))


def _changed_values(old: str, new: str, above: str) -> Iterator[Setting]:
    name = _NUMBER.sub(" ", _OLD_STYLE.sub(" ", old))
    if re.match(r"^\s*-?\s*[\"']?(value|default|min|max)[\"']?\s*[:=]", old):
        name = f"{above} {name}"  # the name stands on the line before: "- name: POOL_SIZE"
    before, after = _numbers(old), _numbers(new)
    if len(before) == len(after):
        for left, right in zip(before, after, strict=True):
            if left != right:
                ratio = right[1] / left[1] if left[1] else float("inf")
                yield Setting(name.strip(), left[0], right[0], ratio)
    flips_old, flips_new = _SWITCH.findall(old), _SWITCH.findall(new)
    if len(flips_old) == len(flips_new):
        for was, now in zip(flips_old, flips_new, strict=True):
            if (was.lower() in _ON) != (now.lower() in _ON):
                yield Setting(name.strip(), was, now, None, 1 if now.lower() in _ON else -1)


def _numbers(line: str) -> list[tuple[str, float]]:
    """The numbers in a line, as written and in seconds or bytes where a unit says so."""
    small_m = 2.0**20 if _ABOUT_SIZE.search(line) else 1e-3 if _ABOUT_CPU.search(line) else 60.0
    found = [
        (match.start(), match.group(0).strip(), match.group(1), (match.group(2) or "").lower())
        for pattern in (_NUMBER, _OLD_STYLE)
        for match in pattern.finditer(line)
    ]
    return [(text, _value(number, unit, small_m)) for _, text, number, unit in sorted(found)]


def _value(number: str, unit: str, small_m: float) -> float:
    """15m and 15s differ by 60, 2g and 512m of memory by 4, 4 and 400m of a processor by 10."""
    if unit == "m":
        return float(number.replace("_", "")) * small_m
    scale = _SECONDS.get(unit) or _SIZES.get(unit) or _SECONDS.get(unit.rstrip("s"), 1.0)
    return float(number.replace("_", "")) * scale


def _setting(name: str, before: str, after: str) -> Setting | None:
    left, right = _numbers(before), _numbers(after)
    if left and right:
        ratio = right[0][1] / left[0][1] if left[0][1] else float("inf")
        return Setting(name, before, after, ratio) if ratio != 1.0 else None
    was, now = before.lower() in _ON, after.lower() in _ON
    return Setting(name, before, after, None, 1 if now else -1) if was != now else None
