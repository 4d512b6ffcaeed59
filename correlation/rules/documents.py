"""Rules as plain values (YAML, JSON): read with every fault named by its field. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from correlation.rules import vocabulary as words
from correlation.rules.conditions import (
    FAINT,
    ORDER_FAINT,
    ChangeTest,
    Condition,
    FeatureTest,
    LogTest,
    OrderTest,
    SignalTest,
    Test,
    WorkloadTest,
)
from correlation.rules.fields import NAME, Fields, Problems
from correlation.rules.matching import Rule

RULE_FIELDS = (
    *("kind", "title", "advice", "roles", "services"),
    *("any", "all", "unless", "boost", "cap"),
)
EXTRAS: dict[str, tuple[str, ...]] = {
    "feature": (),
    "signal": ("view", "direction", "above", "below", "times", "by"),
    "log": ("level", "lines"),
    "template": ("lines",),
    "workload": (),
    "change": ("text",),
    "order": (),
}
"""What a condition asks for, and the fields that go with it."""

COMMON = ("weight", "at_least", "requires")
ORDER_FIELDS = ("first", "then", "at_least_seconds", "at_most_seconds")
LONGEST_ORDER_SECONDS = 86_400.0
LARGEST = 1e15
"""Of what a signal may be compared with, in its unit."""


class BadRule(ValueError):
    """A rule that cannot be used: `problems` are messages by dotted field path."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p}: {' '.join(m)}" for p, m in problems.items()))


def parse_pack(document: Any) -> tuple[Rule, ...]:
    """Rules of a parsed pack `{version, rules: [{name, ...}]}`; raises BadRule."""
    if not isinstance(document, Mapping) or not isinstance(document.get("rules"), list):
        raise BadRule({"rules": ["A rule pack is a mapping with a list called rules."]})
    rules: dict[str, Rule] = {}
    problems: Problems = {}
    for index, raw in enumerate(document["rules"]):
        name = raw.get("name") if isinstance(raw, Mapping) else None
        definition = {k: v for k, v in raw.items() if k != "name"} if name else raw
        try:
            rule = parse_rule(definition, str(name or ""), words.SHIPPED_PRIORITY, shipped=True)
        except BadRule as error:
            problems |= {f"rules.{index}.{path}": said for path, said in error.problems.items()}
        else:
            if rule.name in rules:
                problems[f"rules.{index}.name"] = ["Another rule of the pack has it."]
            rules[rule.name] = rule
    if problems:
        raise BadRule(problems)
    return tuple(rules.values())


def parse_rule(document: Any, name: str, priority: int, *, shipped: bool) -> Rule:
    """One rule; raises BadRule with everything that is wrong with it, not only the first."""
    reader = _Reader()
    rule = reader.rule(document, name, priority, shipped)
    if reader.problems or rule is None:
        raise BadRule(reader.problems)
    return rule


class _Reader(Fields):
    """Reads one document, noting what is wrong where."""

    def __init__(self) -> None:
        super().__init__()
        self.conditions = 0

    def rule(self, raw: Any, name: str, priority: int, shipped: bool) -> Rule | None:
        if not NAME.fullmatch(name) or len(name) > words.TEXT_LENGTHS["name"]:
            self.refuse("name", "Use lower-case letters, digits and hyphens, at most 63.")
        if not isinstance(raw, Mapping):
            self.refuse("definition", "A rule is a mapping.")
            return None
        self.known(raw, RULE_FIELDS, "")
        kind = self.text(raw, "kind", needed=True)
        if kind and not NAME.fullmatch(kind):
            self.refuse("kind", "Use lower-case letters, digits and underscores.")
        title, advice = self.text(raw, "title"), self.text(raw, "advice")
        boost = self.number(raw, "boost", "", 0.0, words.MOST_BOOST)
        cap = self.number(raw, "cap", "", 0.0, 1.0)
        self._meaning(kind, title, boost, cap)
        parts = {part: self._conditions(raw, part) for part in ("any", "all", "unless")}
        if not raw.get("any"):
            self.refuse("any", "Give at least one condition.")
        return Rule(
            name,
            kind,
            title,
            advice,
            **parts,
            roles=self.choices(raw, "roles", words.ROLES),
            services=self.globs(raw),
            boost=boost,
            cap=cap,
            priority=priority,
            shipped=shipped,
            document=dict(raw),
        )

    def _meaning(self, kind: str, title: str, boost: float | None, cap: float | None) -> None:
        if boost is not None and cap is not None:
            self.refuse("cap", "A rule raises or caps, not both.")
        if not title and boost is None and cap is None:
            self.refuse("title", "Give a title, or let the rule boost or cap.")
        if title and kind == words.NO_KIND:
            self.refuse("kind", "A rule that names causes needs a kind of its own.")

    def _conditions(self, raw: Mapping[str, Any], part: str) -> tuple[Condition, ...]:
        given = raw.get(part)
        if given is None:
            return ()
        if not isinstance(given, list):
            self.refuse(part, "This is a list of conditions.")
            return ()
        told = enumerate(given[: words.MOST_CONDITIONS + 1])  # one too many is told once
        found = (self._condition(one, f"{part}.{index}", 1) for index, one in told)
        return tuple(one for one in found if one is not None)

    def _condition(
        self, raw: Any, where: str, depth: int, faint: float = FAINT
    ) -> Condition | None:
        self.conditions += 1
        if self.conditions == words.MOST_CONDITIONS + 1:
            self.refuse(where, f"A rule has at most {words.MOST_CONDITIONS} conditions.")
        if depth > words.MOST_NESTED or self.conditions > words.MOST_CONDITIONS:
            self.problems.setdefault(where, ["Conditions are nested too deeply."])
            return None
        if not isinstance(raw, Mapping):
            self.refuse(where, "A condition is a mapping, such as {log: timeout}.")
            return None
        asked = [name for name in EXTRAS if name in raw]
        if len(asked) != 1:
            self.refuse(where, f"Ask for exactly one of {', '.join(EXTRAS)}.")
            return None
        self.known(raw, (asked[0], *EXTRAS[asked[0]], *COMMON), where)
        test = TESTS[asked[0]](self, raw, where, depth)
        weight = self.number(raw, "weight", where, *words.ALLOWED["weight"])
        at_least = self.number(raw, "at_least", where, *words.ALLOWED["at_least"])
        requires = None
        if raw.get("requires") is not None:
            requires = self._condition(raw["requires"], f"{where}.requires", depth + 1)
        if test is None:
            return None
        return Condition(
            test,
            1.0 if weight is None else weight,
            faint if at_least is None else at_least,
            requires,
        )

    def feature(self, raw: Mapping[str, Any], where: str, depth: int) -> Test:
        return FeatureTest(self.one_of(raw, "feature", tuple(words.FEATURES), where))

    def signal(self, raw: Mapping[str, Any], where: str, depth: int) -> Test:
        name = self.one_of(raw, "signal", words.SIGNAL_NAMES, where)
        edge = name.startswith("client_")
        view = self.one_of(raw, "view", words.VIEWS, where, "callers" if edge else "own")
        if name and edge == (view == "own"):
            self.refuse(f"{where}.view", f"{name} is seen by {'callers' if edge else 'own'}.")
        return SignalTest(
            name,
            view,
            self.one_of(raw, "direction", words.DIRECTIONS, where, ""),
            above=self.number(raw, "above", where, 0.0, LARGEST),
            below=self.number(raw, "below", where, 0.0, LARGEST),
            times=self.number(raw, "times", where, 1.0, 1e6),
            by=self.number(raw, "by", where, 0.0, LARGEST),
        )

    def log(self, raw: Mapping[str, Any], where: str, depth: int) -> Test | None:
        pattern = self.pattern(raw, "log", where)
        level = self.text(raw, "level", where).lower()
        more = self.one_of(raw, "lines", words.LINES, where, "more") == "more"
        return LogTest(pattern, level=level, more=more) if pattern else None

    def template(self, raw: Mapping[str, Any], where: str, depth: int) -> Test:
        more = self.one_of(raw, "lines", words.LINES, where, "more") == "more"
        return LogTest(template=self.text(raw, "template", where, needed=True), more=more)

    def workload(self, raw: Mapping[str, Any], where: str, depth: int) -> Test | None:
        pattern = self.pattern(raw, "workload", where)
        return WorkloadTest(pattern) if pattern else None

    def change(self, raw: Mapping[str, Any], where: str, depth: int) -> Test:
        text = self.pattern(raw, "text", where) if raw.get("text") is not None else None
        return ChangeTest(self.one_of(raw, "change", words.CHANGE_NAMES, where), text)

    def order(self, raw: Mapping[str, Any], where: str, depth: int) -> Test | None:
        inner, where = raw["order"], f"{where}.order"
        if not isinstance(inner, Mapping):
            self.refuse(where, "This is a mapping with first and then.")
            return None
        self.known(inner, ORDER_FIELDS, where)
        sides = [self._side(inner, side, f"{where}.{side}", depth) for side in ("first", "then")]
        fewest = self.number(inner, "at_least_seconds", where, 0.0, LONGEST_ORDER_SECONDS)
        most = self.number(inner, "at_most_seconds", where, 0.0, LONGEST_ORDER_SECONDS)
        if fewest is not None and most is not None and fewest > most:
            self.refuse(f"{where}.at_most_seconds", "This is less than at_least_seconds.")
        longest = LONGEST_ORDER_SECONDS if most is None else most
        return OrderTest(sides[0], sides[1], fewest or 0.0, longest)

    def _side(
        self, raw: Mapping[str, Any], side: str, where: str, depth: int
    ) -> tuple[Condition, ...]:
        """One condition or a list of them, of which the earliest counts."""
        given = raw.get(side)
        listed = given if isinstance(given, list) else [given]
        found = []
        for index, one in enumerate(listed[: words.MOST_CONDITIONS + 1]):
            path = f"{where}.{index}" if isinstance(given, list) else where
            condition = self._condition(one, path, depth + 1, ORDER_FAINT)
            if condition is not None and isinstance(condition.test, FeatureTest):
                self.refuse(path, "A feature has no onset; ask for a signal.")
            found += [condition] if condition is not None else []
        if not listed:
            self.refuse(where, "Give at least one condition.")
        return tuple(found)


TESTS: dict[str, Callable[[_Reader, Mapping[str, Any], str, int], Test | None]] = {
    "feature": _Reader.feature,
    "signal": _Reader.signal,
    "log": _Reader.log,
    "template": _Reader.template,
    "workload": _Reader.workload,
    "change": _Reader.change,
    "order": _Reader.order,
}
