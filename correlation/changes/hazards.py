"""What a change could break, read off its diff, its files and its title."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from correlation.changes.diffs import Diff, Setting, read_diff, told_settings
from correlation.changes.vocabulary import Hazard, Pattern, shipped
from correlation.telemetry import Change

FULL_RATIO = 4.0
"""A setting that moved by this factor or more moved all the way; 1.2 times is next to nothing."""

FROM_TITLE = 0.45
"""What a title alone is worth beside lines that show it."""

AROUND = 0.6
"""What the lines around an edit, its title or its path say, beside the edit itself."""

LOOP_REACH = 4
"""Lines below a loop's head that are looked at for calls."""

_LOOP = re.compile(
    r"^\s*(for|while|foreach)\b|\.(forEach|each|map|flatMap)\b|\bfor .* in .*[:{]|\beach (do|\{)"
)
_ON_ONE_LINE = re.compile(r"\.(forEach|each|map|flatMap)\b.*(=>|\{)|for .* in .*\]")
_OPERATOR = re.compile(r"===?|!==?|<=|>=|<(?!\w+>)|>|&&|\|\||!(?==|\w|\()|\b(?:and|or|not|in)\b")


@dataclass(frozen=True)
class Found:
    """A hazard seen in a change: `strength` 0..1, `detail` the edit that shows it."""

    hazard: Hazard
    strength: float
    detail: str


@dataclass(frozen=True)
class Reading:
    """What was read of a change: its hazards, and a reason where it cannot break anything.

    `harmless` is "" or says why it is; `mends` and `light` are what its title claims,
    `readable` whether the lines say what was edited: a new image's tag does not.
    """

    hazards: tuple[Found, ...]
    harmless: str
    readable: bool
    mends: bool
    goes_back: bool
    light: bool


def read_change(change: Change) -> Reading:
    """Hazards of `change`, strongest first, and what speaks for its innocence."""
    return _read(change.title, change.diff, change.files)


@lru_cache(maxsize=4096)
def _read(title: str, text: str, paths: tuple[str, ...]) -> Reading:
    quiet = shipped().quiet
    diff = read_diff(text)
    harmless = _harmless(title, paths, diff, bool(text.strip()))
    hazards: list[Found] = []
    if not harmless:
        settings = (*diff.settings, *told_settings(title))
        for hazard in shipped().hazards:
            found = _see(hazard, title, paths, diff, settings)
            if found is not None:
                hazards.append(found)
    hazards.sort(key=lambda found: (-found.strength, found.hazard.name))
    return Reading(
        hazards=tuple(hazards),
        harmless=harmless,
        readable=not diff.empty
        and not any(quiet["unseen.lines"].search(line) for line in (*diff.added, *diff.removed)),
        mends=bool(quiet["mending.titles"].search(title)),
        goes_back=bool(quiet["mending.going_back"].search(title)),
        light=bool(quiet["light.titles"].search(title)),
    )


def _harmless(title: str, paths: tuple[str, ...], diff: Diff, told: bool) -> str:
    """Why it cannot break what runs, or ""."""
    quiet = shipped().quiet
    if paths and all(quiet["harmless.paths"].search(path) for path in paths):
        return "touches no file that runs"
    if paths and all(
        quiet["harmless.looks"].search(path) or quiet["harmless.paths"].search(path)
        for path in paths
    ):
        return "touches looks alone"
    if told and diff.empty and not diff.settings:
        return "edits comments and white space alone"
    if not told and quiet["harmless.titles"].search(title):
        return "says it edits nothing that runs"
    lines = (*diff.added, *diff.removed)
    if lines and all(quiet["harmless.nothing"].search(line) for line in lines):
        return "edits imports and brackets alone"
    if lines and not diff.removed and _all_observing(diff.added):
        return "only adds measurements"
    return ""


def _all_observing(lines: Iterable[str]) -> bool:
    """Whether new lines count and tell, and do nothing else; labels can hurt, and stay."""
    quiet = shipped().quiet
    labelled = next(h.added for h in shipped().hazards if h.name == "labels")
    return all(
        quiet["harmless.observing"].search(line) and not (labelled and labelled.search(line))
        for line in lines
    )


def _see(
    hazard: Hazard, title: str, paths: tuple[str, ...], diff: Diff, settings: tuple[Setting, ...]
) -> Found | None:
    if hazard.only is not None and paths and not any(map(hazard.only.search, paths)):
        return None
    seen: list[tuple[float, str]] = []
    if hazard.setting is not None:
        seen += [
            (_moved(setting, hazard), _told(setting))
            for setting in settings
            if _names(hazard.setting, setting.name)
        ]
    if hazard.loop is not None:
        seen += _in_loops(hazard.loop, diff)
    for pattern, these, others in (
        (hazard.added, diff.added, diff.removed),
        (hazard.removed, diff.removed, diff.added),
    ):
        if pattern is not None:
            seen += _more_on_one_side(pattern, these, others)
    if hazard.both is not None:
        seen += _on_either_side(hazard.both, title, paths, diff)
    if hazard.turned:
        seen += _turned(diff)
    if hazard.files is not None:
        seen += [(1.0, path) for path in paths if hazard.files.search(path)]
    if not seen and diff.empty:
        seen += _in_title(hazard, title)
    strength, detail = max(seen, default=(0.0, ""))
    strength = min(1.0, strength * hazard.weight)
    return Found(hazard, strength, " ".join(detail.split())[:120]) if strength >= 0.1 else None


def _moved(setting: Setting, hazard: Hazard) -> float:
    """How far a setting went the hazard's way, 0..1."""
    if setting.ratio is None:
        return 1.0 if ("on" if setting.turned > 0 else "off") in hazard.moves else 0.0
    way = "up" if setting.ratio > 1.0 else "down"
    if way not in hazard.moves:
        return 0.0
    if setting.ratio in (0.0, math.inf):
        return 1.0
    return min(1.0, abs(math.log(setting.ratio)) / math.log(FULL_RATIO))


def _told(setting: Setting) -> str:
    name = " ".join(re.sub(r"[^\w.\-/]+", " ", setting.name).split())
    return f"{name[-60:].strip()} {setting.before} to {setting.after}"


def _more_on_one_side(
    pattern: Pattern, these: tuple[str, ...], others: tuple[str, ...]
) -> list[tuple[float, str]]:
    """One side has it oftener than the other: a line that was rewritten counts for nothing."""
    here = [line for line in these if pattern.search(line)]
    more = len(here) - sum(bool(pattern.search(line)) for line in others)
    return [(1.0 if more == len(here) else 0.7, here[0])] if more > 0 else []


def _on_either_side(
    pattern: Pattern, title: str, paths: tuple[str, ...], diff: Diff
) -> list[tuple[float, str]]:
    """In lines that were edited; for less in what stands around them, the title or a path."""
    for line in (*diff.removed, *diff.added):
        if pattern.search(_split(line)):
            return [(0.9, line)]
    around = [line for line, added in diff.after if not added]
    if not diff.empty:
        around += [title]
    return [(AROUND, text) for text in (*around, *paths) if pattern.search(_split(text))][:1]


def _in_loops(pattern: Pattern, diff: Diff) -> list[tuple[float, str]]:
    """Added calls right below a loop's head that did not stand there before."""
    head = -LOOP_REACH - 1
    seen = []
    known = sum(bool(pattern.search(line)) for line in diff.removed)
    fresh = sum(bool(pattern.search(line)) for line in diff.added)
    lines = set(diff.added)
    for n, (line, added) in enumerate(diff.after):
        if _LOOP.search(line):
            head = n
            if added and line in lines and _ON_ONE_LINE.search(line):
                seen += [(0.9, line)] if pattern.search(_LOOP.sub("", line)) else []
            continue
        if added and line in lines and 0 < n - head <= LOOP_REACH and pattern.search(line):
            seen.append((1.0, line))
    return seen if fresh > known else []


def _turned(diff: Diff) -> list[tuple[float, str]]:
    """A line that came back with nothing but its comparisons changed."""
    if len(diff.removed) != len(diff.added):
        return []
    for old, new in zip(diff.removed, diff.added, strict=True):
        if old != new and _OPERATOR.search(old + new):
            bare = _OPERATOR.sub("", old), _OPERATOR.sub("", new)
            if "".join(bare[0].split()) == "".join(bare[1].split()):
                return [(1.0, new)]
    return []


def _in_title(hazard: Hazard, title: str) -> list[tuple[float, str]]:
    """A title that names the thing and, for settings, says which way it went."""
    words = _split(title)
    ways = {
        "down": r"\b(lower|reduce|cut|shrink|shorten|decrease|tighten|smaller|less|fewer|halve)",
        "up": r"\b(raise|increase|grow|bump|double|enlarge|extend|larger|more|higher|lengthen)",
        "on": r"\b(enable|activate|turn on|switch on|introduce)",
        "off": r"\b(disable|deactivate|turn off|switch off|remove|drop|stop|skip)",
    }
    moved = any(re.search(ways[way], words, re.IGNORECASE) for way in hazard.moves)
    if hazard.setting is not None and moved and _names(hazard.setting, title):
        return [(FROM_TITLE * 1.6, title)]
    undone = re.search(ways["off"], words, re.IGNORECASE)
    if hazard.removed is not None and undone and hazard.removed.search(words):
        return [(FROM_TITLE, title)]
    for pattern in (hazard.added, hazard.both):
        if pattern is not None and pattern.search(words):
            return [(FROM_TITLE, title)]
    return []


def _names(pattern: Pattern, name: str) -> bool:
    """Whether a part of the name begins with it: catalog is no log."""
    words = f" {_split(name)}"
    return any(not words[match.start() - 1].isalpha() for match in pattern.finditer(words))


def _split(name: str) -> str:
    """The name with its parts apart as well: MaxOpenConns reads Max Open Conns."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+", " ", name)
    return f"{name} {parts}"
