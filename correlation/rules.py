"""Cause rules as data: conditions over a suspect's features to a cause kind, title and advice.

Declarative: a rule has `any` conditions (score = strongest strength x weight), `all` conditions
(each must reach its `at_least`) and `unless` conditions. A condition
names exactly one of feature, log, workload, change. Nothing is evaluated as code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

CONDITION_KINDS = ("feature", "log", "workload", "change")


class BadRule(ValueError):
    """A rule that cannot be used; the text names the rule and the field."""


@dataclass(frozen=True)
class Condition:
    """One test: `strength` of the named thing, 0 below `at_least`, times `weight`."""

    kind: str
    name: str
    pattern: re.Pattern[str] | None = None
    weight: float = 1.0
    at_least: float = 0.05
    requires: Condition | None = None


@dataclass(frozen=True)
class Rule:
    kind: str
    title: str
    advice: str
    any: tuple[Condition, ...]
    all: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What rules may ask about one service; strengths are 0..1."""

    role: str
    features: Mapping[str, float]
    logs: Sequence[tuple[str, float]] = ()
    workloads: Sequence[tuple[str, float]] = ()
    changes: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Verdict:
    """The cause kind a rule concluded, with its score."""

    kind: str
    title: str
    advice: str
    score: float


def conclude(facts: Facts, service: str, rules: Sequence[Rule] | None = None) -> Verdict | None:
    """The best-scoring kind for `service`; the first rule wins a tie; None when none applies."""
    best: tuple[float, Rule] | None = None
    for rule in shipped_rules() if rules is None else rules:
        score = _score(rule, facts)
        if score > 0.0 and (best is None or score > best[0] + 1e-9):
            best = (score, rule)
    if best is None:
        return None
    score, rule = best
    return Verdict(
        rule.kind,
        rule.title.replace("{service}", service),
        rule.advice.replace("{service}", service),
        score,
    )


@lru_cache(maxsize=1)
def shipped_rules() -> tuple[Rule, ...]:
    """The rule pack that comes with the product."""
    text = files("correlation").joinpath("rulepacks/causes.yaml").read_text(encoding="utf-8")
    return parse_rules(yaml.safe_load(text))


def parse_rules(document: Any) -> tuple[Rule, ...]:
    """Rules of a parsed YAML document; raises BadRule naming the rule and the field."""
    if not isinstance(document, Mapping) or not isinstance(document.get("rules"), list):
        raise BadRule("a rule pack is a mapping with a list called rules")
    return tuple(_rule(raw, f"rules[{i}]") for i, raw in enumerate(document["rules"]))


def _rule(raw: Any, where: str) -> Rule:
    if not isinstance(raw, Mapping):
        raise BadRule(f"{where} is not a mapping")
    unknown = sorted(set(raw) - {"kind", "title", "advice", "any", "all", "unless", "roles"})
    if unknown:
        raise BadRule(f"{where}.{unknown[0]} is not a field of a rule")
    for name in ("kind", "title"):
        if not isinstance(raw.get(name), str) or not raw[name]:
            raise BadRule(f"{where}.{name} must be a text")
    parts = {
        name: tuple(
            _condition(item, f"{where}.{name}[{i}]") for i, item in enumerate(raw.get(name) or ())
        )
        for name in ("any", "all", "unless")
    }
    if not parts["any"]:
        raise BadRule(f"{where}.any needs at least one condition")
    return Rule(
        raw["kind"], raw["title"], str(raw.get("advice") or ""), **parts,
        roles=tuple(raw.get("roles") or ()),
    )  # fmt: skip


def _condition(raw: Any, where: str) -> Condition:
    if not isinstance(raw, Mapping):
        raise BadRule(f"{where} is not a mapping")
    kinds = [kind for kind in CONDITION_KINDS if kind in raw]
    if len(kinds) != 1:
        raise BadRule(f"{where} must name exactly one of {', '.join(CONDITION_KINDS)}")
    unknown = sorted(set(raw) - {*CONDITION_KINDS, "weight", "at_least", "requires"})
    if unknown:
        raise BadRule(f"{where}.{unknown[0]} is not a field of a condition")
    name = raw[kinds[0]]
    if not isinstance(name, str):
        raise BadRule(f"{where}.{kinds[0]} must be a text")
    pattern = None
    if kinds[0] in ("log", "workload"):
        try:
            pattern = re.compile(name, re.IGNORECASE)
        except re.error as error:
            raise BadRule(f"{where}.{kinds[0]}: {error}") from error
    numbers = {}
    for field in ("weight", "at_least"):
        value = raw.get(field, getattr(Condition, field))
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 2:
            raise BadRule(f"{where}.{field} must be a number from 0 to 2")
        numbers[field] = float(value)
    requires = raw.get("requires")
    return Condition(
        kinds[0], name, pattern, **numbers,
        requires=_condition(requires, f"{where}.requires") if requires is not None else None,
    )  # fmt: skip


def _score(rule: Rule, facts: Facts) -> float:
    if rule.roles and facts.role not in rule.roles:
        return 0.0
    if any(_strength(condition, facts) > 0.0 for condition in rule.unless):
        return 0.0
    strongest = max(_strength(condition, facts) * condition.weight for condition in rule.any)
    if not rule.all or strongest == 0.0:
        return strongest
    weakest = min(_strength(condition, facts) * condition.weight for condition in rule.all)
    return strongest if weakest > 0.0 else 0.0


def _strength(condition: Condition, facts: Facts) -> float:
    if condition.requires is not None and _strength(condition.requires, facts) == 0.0:
        return 0.0
    if condition.kind == "feature":
        value = facts.features.get(condition.name, 0.0)
    elif condition.kind == "change":
        value = (facts.changes or {}).get(condition.name, 0.0)
    else:
        pairs = facts.logs if condition.kind == "log" else facts.workloads
        assert condition.pattern is not None
        value = max(
            (strength for text, strength in pairs if condition.pattern.search(text)), default=0.0
        )
    return value if value >= condition.at_least else 0.0
