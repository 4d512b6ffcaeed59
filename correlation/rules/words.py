"""Rules in plain words, for those who read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from correlation.rules.conditions import (
    FAINT,
    ChangeTest,
    Condition,
    FeatureTest,
    LogTest,
    OrderTest,
    SignalTest,
    Test,
    WorkloadTest,
)
from correlation.rules.matching import Rule
from correlation.rules.vocabulary import FEATURES
from correlation.signal_labels import label_of
from correlation.telemetry import SIGNAL_UNITS
from correlation.units import humanised, seconds_in_words

VIEWS = {"own": "", "callers": " as its callers see it", "calls": " in the calls it makes"}
MOVES = {"up": " rose", "down": " fell", "": " moved"}
CHANGES = {
    "any": "a change of any kind",
    "config": "a configuration or flag change",
    "scale": "a change of scale",
}


@dataclass(frozen=True)
class Said:
    """One condition: what is asked, the pattern it is asked with ("" for none), how it counts."""

    text: str
    pattern: str = ""
    counts: str = ""


def conditions_said(conditions: Iterable[Condition]) -> list[Said]:
    return [_said(condition) for condition in conditions]


def effect_of(rule: Rule) -> str:
    """What a rule does: "names the cause", "raises by up to 20 %", "caps at 0.30"."""
    if rule.boost is not None:
        return f"raises by up to {rule.boost * 100:.0f} % of what is missing"
    if rule.cap is not None:
        return f"caps at {rule.cap:.2f}"
    return "names the cause"


def _said(condition: Condition) -> Said:
    text, pattern = _asked(condition.test)
    counts = []
    if condition.weight != 1.0:
        counts.append(f"weight {condition.weight:g}")
    if condition.at_least != FAINT:
        counts.append(f"from strength {condition.at_least:g}")
    if condition.requires is not None:
        inner = _said(condition.requires)
        like = f" {inner.pattern}" if inner.pattern else ""
        bound = f", {inner.counts}" if inner.counts else ""
        counts.append(f"only where {inner.text}{like}{bound}")
    return Said(text, pattern, ", ".join(counts))


def _asked(test: Test) -> tuple[str, str]:
    """(words, pattern)."""
    match test:
        case FeatureTest():
            return FEATURES[test.name], ""
        case SignalTest():
            return _signal(test), ""
        case LogTest(pattern=None):
            return f"{'logs' if test.more else 'stopped logging'} template", test.template
        case LogTest():
            level = f" at level {test.level}" if test.level else ""
            verb = f"logs{level} or fails with" if test.more else f"stopped logging{level}"
            return verb, test.pattern.pattern if test.pattern else ""
        case WorkloadTest():
            return "the orchestrator says", test.pattern.pattern
        case ChangeTest():
            kind = CHANGES.get(test.name, f"a {test.name}")
            return f"{kind} shortly before" + (" that mentions" if test.text else ""), (
                test.text.pattern if test.text else ""
            )
        case OrderTest():
            return _order(test), ""
    return "", ""


def _signal(test: SignalTest) -> str:
    unit = SIGNAL_UNITS.get(test.name, ("s", "up"))[0]
    bounds = [
        f"{word} {humanised(value, unit)}"
        for word, value in (("above", test.above), ("below", test.below), ("by", test.by))
        if value is not None
    ]
    if test.times is not None:
        bounds.append(f"{test.times:g} times or more")
    told = f" ({', '.join(bounds)})" if bounds else ""
    return f"{label_of(test.name)}{MOVES[test.direction]}{VIEWS[test.view]}{told}"


def _order(test: OrderTest) -> str:
    first, then = (" or ".join(map(_plain, side)) for side in (test.first, test.then))
    gap = f" at least {seconds_in_words(test.fewest)}" if test.fewest else ""
    return f"{first}, and{gap} later: {then}"


def _plain(condition: Condition) -> str:
    text, pattern = _asked(condition.test)
    return f"{text} {pattern}" if pattern else text
