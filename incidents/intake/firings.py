"""When a series fired, by its members' own claims: the same whatever order they came in (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from incidents.intake.members import Member


@dataclass
class Firing:
    """From `start` to `end` (epoch seconds, inf while it fires). `fired` is False where only its
    end was ever told of."""

    start: float
    end: float
    fired: bool

    @property
    def is_open(self) -> bool:
        return self.end == inf


def firings(members: Mapping[str, Member]) -> list[Firing] | None:
    """The firings of a series, oldest first; those of its members that overlap are one.

    A firing whose end was not told of lasts until the same member's next one. None where claims
    do not say: they come without times, or an end was inferred or outlived.
    """
    told: list[Firing] = []
    for member in members.values():
        if "past" not in member:
            return None
        words = [*member["past"], member]
        if any(word.get("inferred") or _endless(word) for word in words):
            return None
        own = _of_member(words)
        if any(one.is_open for one in own) != member["firing"]:
            return None
        told += own
    together: list[Firing] = []
    for one in sorted(told, key=lambda firing: firing.start):
        if together and (one.start < together[-1].end or one.start == together[-1].start):
            last = together[-1]
            last.end, last.fired = max(last.end, one.end), last.fired or one.fired
        else:
            together.append(one)
    return together


def _endless(word: Member) -> bool:
    return not word["firing"] and word.get("until") is None


def _of_member(words: Iterable[Member]) -> list[Firing]:
    ends: dict[float, float] = {}
    fired: dict[float, bool] = {}
    for word in words:
        start = word["from"]
        fired[start] = fired.get(start, False) or not word.get("silent")
        if not word["firing"]:
            ends[start] = max(ends.get(start, start), word["until"])
    found: list[Firing] = []
    for start in sorted(fired):
        last = found[-1] if found else None
        end = ends.get(start, inf)
        # within the last one, or its continuation: nobody told of an end in between
        if last is not None and (start < last.end or last.is_open):
            if end == inf and last.end < inf:
                end = last.end
            last.end = end if last.is_open else max(last.end, end)
            last.fired = last.fired or fired[start]
        else:
            found.append(Firing(start, end, fired[start]))
    return found
