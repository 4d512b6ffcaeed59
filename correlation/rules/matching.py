"""Cause rules: conditions over a suspect's facts to a cause kind, title and advice, boost or cap.

Pure and declarative; nothing is evaluated as code. A rule has `any` conditions (its score is the
strongest strength x weight), `all` conditions (each must hold) and `unless` conditions (none may).
Rules are passed in; those that come with the product are `rule_pack.shipped_rules()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from correlation.rules.conditions import Condition, Match
from correlation.rules.facts import Facts
from correlation.rules.vocabulary import MOST_BOOST, NO_KIND, SHIPPED_PRIORITY


@dataclass(frozen=True)
class Rule:
    """A rule in force. `document` is what it was read from.

    With a `title` it names causes; without one it only raises or caps those of its `kind`.
    """

    name: str
    kind: str
    title: str
    advice: str
    any: tuple[Condition, ...]
    all: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    roles: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    boost: float | None = None
    cap: float | None = None
    priority: int = SHIPPED_PRIORITY
    shipped: bool = True
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def match(self, facts: Facts, service: str) -> Match | None:
        """The strongest `any` condition with its strength x weight; None when it does not hold."""
        if self.roles and facts.role not in self.roles:
            return None
        if self.services and not any(fnmatchcase(service, glob) for glob in self.services):
            return None
        if any(condition.best(facts) for condition in self.unless):
            return None
        if not all(condition.best(facts) for condition in self.all):
            return None
        best: Match | None = None
        for condition in self.any:
            found = condition.best(facts)
            strength = found.strength * condition.weight if found else 0.0
            if found and strength > (best.strength if best else 0.0) + 1e-9:
                best = Match(strength, found.words, found.onset, found.margin)
        return best


@dataclass(frozen=True)
class Verdict:
    """The cause kind a rule concluded, with its score; `rule` is its name, `because` in words."""

    kind: str
    title: str
    advice: str
    score: float
    rule: str = ""
    shipped: bool = True
    because: str = ""


class Adjusted(NamedTuple):
    """A hypothesis' score after boosts and caps, with one line for each rule that moved it."""

    score: float
    said: tuple[str, ...] = ()


def conclude(facts: Facts, service: str, rules: Sequence[Rule]) -> Verdict | None:
    """The kind named by the rule that goes first; None when none applies.

    First is the lowest priority, then the highest score, then a user's rule, then the name.
    """
    found = []
    for rule in rules:
        match = rule.match(facts, service) if rule.title else None
        if match is not None:
            found.append((rule, match))
    if not found:
        return None
    rule, match = min(
        found,
        key=lambda pair: (
            pair[0].priority,
            -round(pair[1].strength, 9),
            pair[0].shipped,
            pair[0].name,
        ),
    )
    return Verdict(
        rule.kind,
        rule.title.replace("{service}", service),
        rule.advice.replace("{service}", service),
        match.strength,
        rule.name,
        rule.shipped,
        match.words,
    )


def adjust(score: float, kind: str, facts: Facts, service: str, rules: Sequence[Rule]) -> Adjusted:
    """`score` of (service, kind), 0..1, after the rules that raise or cap it.

    Of several boosts the strongest counts: it closes boost x strength of what is missing to 1.
    Then the lowest cap holds.
    """
    boosts, caps = [], []
    for rule in rules:
        if rule.boost is None and rule.cap is None:
            continue
        match = rule.match(facts, service) if rule.kind in (NO_KIND, kind) else None
        if match is not None and rule.boost is not None:
            boosts.append((min(rule.boost, MOST_BOOST) * min(1.0, match.strength), rule.name))
        if match is not None and rule.cap is not None:
            caps.append((-rule.cap, rule.name))
    said = []
    if boosts:
        share, name = max(boosts)
        raised = 1.0 - (1.0 - score) * (1.0 - share)
        said.append(f"{name} raised its evidence from {score:.2f} to {raised:.2f}")
        score = raised
    if caps and -max(caps)[0] < score:
        cap, name = -max(caps)[0], max(caps)[1]
        said.append(f"{name} capped its evidence at {cap:.2f}, from {score:.2f}")
        score = cap
    return Adjusted(score, tuple(said))


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules as they are tried where their scores are the same."""
    return tuple(sorted(rules, key=lambda rule: (rule.priority, rule.shipped, rule.name)))
