"""One condition of a rule and what it finds in the facts of a service. Pure.

A condition asks for exactly one thing and answers how strongly it was seen, 0..1, since when, and
in which words. Below `at_least` it was not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from correlation.rules.facts import Facts, SignalSeen
from correlation.rules.vocabulary import FEATURES
from correlation.signal_labels import label_of
from correlation.telemetry import SIGNAL_UNITS
from correlation.units import humanised, seconds_in_words

FAINT = 0.05
"""`at_least` unless given: what is weaker was not seen."""

ORDER_FAINT = 0.3
"""The same for the two sides of an order: when something faint began means little."""


@dataclass(frozen=True)
class Match:
    """What a condition found: strength 0..1, onset in epoch seconds and its margin, words."""

    strength: float
    words: str
    onset: float | None = None
    margin: float = 0.0


class Test(Protocol):
    """What a condition asks for."""

    def seen(self, facts: Facts) -> Iterable[Match]: ...


@dataclass(frozen=True)
class Condition:
    """A test whose strength counts from `at_least` on, times `weight` in a rule's score.

    With `requires` it is only asked where that holds too.
    """

    test: Test
    weight: float = 1.0
    at_least: float = FAINT
    requires: Condition | None = None

    def best(self, facts: Facts) -> Match | None:
        """The strongest match, of equals the earliest; None when it does not hold."""
        return min(self._all(facts), key=_strongest_first, default=None)

    def earliest(self, facts: Facts) -> Match | None:
        """The match that began first; None when none holds or none is known to have begun."""
        dated = (match for match in self._all(facts) if match.onset is not None)
        return min(dated, key=_first_begun, default=None)

    def _all(self, facts: Facts) -> Iterator[Match]:
        if self.requires is not None and self.requires.best(facts) is None:
            return
        for match in self.test.seen(facts):
            if match.strength >= max(self.at_least, 1e-9):
                yield match


def _strongest_first(match: Match) -> tuple[float, float, str]:
    return (-match.strength, match.onset if match.onset is not None else 0.0, match.words)


def _first_begun(match: Match) -> tuple[float, float, str]:
    return (match.onset or 0.0, -match.strength, match.words)


def _earliest(conditions: tuple[Condition, ...], facts: Facts) -> Match | None:
    found = (condition.earliest(facts) for condition in conditions)
    return min((match for match in found if match), key=_first_begun, default=None)


@dataclass(frozen=True)
class FeatureTest:
    name: str

    def seen(self, facts: Facts) -> Iterator[Match]:
        yield Match(facts.features.get(self.name, 0.0), FEATURES[self.name])


@dataclass(frozen=True)
class SignalTest:
    """A signal that moved, and how far.

    `above` and `below` bound its value now, `times` is now over before, `by` now less before,
    all in the signal's unit; for a fall `times` is before over now and `by` before less now.
    """

    name: str
    view: str = "own"
    direction: str = ""
    above: float | None = None
    below: float | None = None
    times: float | None = None
    by: float | None = None

    def seen(self, facts: Facts) -> Iterator[Match]:
        for one in facts.signals:
            if one.signal == self.name and one.view == self.view and self._fits(one):
                yield Match(one.strength, _told(one), one.onset, one.margin)

    def _fits(self, one: SignalSeen) -> bool:
        if self.direction and one.direction != self.direction:
            return False
        low, high = sorted((one.baseline, one.value))
        return (
            (self.above is None or one.value >= self.above)
            and (self.below is None or one.value <= self.below)
            and (self.times is None or high >= self.times * low)
            and (self.by is None or high - low >= self.by)
        )


def _told(one: SignalSeen) -> str:
    unit = SIGNAL_UNITS.get(one.signal, ("s", "up"))[0]
    label = label_of(one.signal)
    moved = "rose" if one.direction == "up" else "fell"
    return f"{label} {moved} from {humanised(one.baseline, unit)} to {humanised(one.value, unit)}"


@dataclass(frozen=True)
class LogTest:
    """Log lines or spans that say it: `pattern` on the text, or the `template`'s stable id."""

    pattern: re.Pattern[str] | None = None
    template: str = ""
    level: str = ""
    more: bool = True

    def seen(self, facts: Facts) -> Iterator[Match]:
        for one in facts.logs:
            if one.more != self.more or (self.level and one.level != self.level):
                continue
            text = self._found(one.texts, one.template)
            if text is not None:
                words = f'{"" if self.more else "no longer "}logged "{text}"'
                yield Match(one.strength, words, one.onset)

    def _found(self, texts: tuple[str, ...], template: str) -> str | None:
        if self.pattern is None:
            return _short(texts[0]) if template == self.template else None
        found = (self.pattern.search(text) for text in texts)
        return next((_short(match[0]) for match in found if match), None)


@dataclass(frozen=True)
class WorkloadTest:
    pattern: re.Pattern[str]

    def seen(self, facts: Facts) -> Iterator[Match]:
        for one in facts.workloads:
            if self.pattern.search(one.reason):
                yield Match(one.strength, f"workload state {one.reason}", one.onset)


@dataclass(frozen=True)
class ChangeTest:
    """A change near the onset; `text` must match its title, files or diff where given."""

    name: str
    text: re.Pattern[str] | None = None

    def seen(self, facts: Facts) -> Iterator[Match]:
        for one in facts.changes:
            if one.is_a(self.name) and (self.text is None or self.text.search(one.text)):
                yield Match(one.strength, f"a {one.kind} shortly before", one.at)


@dataclass(frozen=True)
class OrderTest:
    """The earliest of `first` began before the earliest of `then`, by `fewest` to `most` seconds.

    Onsets that lie within each other's margins are not in any order.
    """

    first: tuple[Condition, ...]
    then: tuple[Condition, ...]
    fewest: float
    most: float

    def seen(self, facts: Facts) -> Iterator[Match]:
        first, then = _earliest(self.first, facts), _earliest(self.then, facts)
        if first is None or then is None or first.onset is None or then.onset is None:
            return
        gap = then.onset - first.onset
        if max(self.fewest, first.margin + then.margin) <= gap <= self.most:
            words = f"{first.words}, {seconds_in_words(gap)} before {then.words}"
            yield Match(min(first.strength, then.strength), words, first.onset, first.margin)


def _short(text: str, length: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 3] + "..."
