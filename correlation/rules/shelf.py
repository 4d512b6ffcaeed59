"""All rules there are, shipped and stored, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from correlation.models import CorrelationRule
from correlation.rules.documents import BadRule, parse_rule
from correlation.rules.matching import Rule
from correlation.rules.pack import shipped_rules
from correlation.rules.vocabulary import SHIPPED_PRIORITY

SHIPPED, OVERRIDE, USER = "shipped", "override", "user"


@dataclass(frozen=True)
class Shelved:
    """A rule as people see it.

    `origin` is shipped (switched or moved at most), override (a shipped one in the users' words)
    or user. `rule` is what a ranking would use, whether enabled or not; None when `problem` says
    why it cannot be used. A broken override leaves the shipped rule in its place.
    """

    name: str
    origin: str
    enabled: bool
    priority: int
    definition: dict[str, Any]
    rule: Rule | None
    problem: str = ""
    row: CorrelationRule | None = None

    @property
    def version(self) -> int:
        """0 for a shipped rule that nobody has touched."""
        return self.row.version if self.row else 0

    @property
    def kind(self) -> str:
        return str(self.definition.get("kind") or "")

    @property
    def title(self) -> str:
        return str(self.definition.get("title") or "")

    @property
    def shipped(self) -> bool:
        """Whether the pack has a rule of this name."""
        return self.origin != USER


@dataclass(frozen=True)
class InForce:
    """The rules of an analysis, and those that had to be left out: (name, why)."""

    rules: tuple[Rule, ...]
    skipped: tuple[tuple[str, str], ...] = ()


def shelf() -> list[Shelved]:
    """Every rule, in one query."""
    return arranged(CorrelationRule.objects.select_related("updated_by"))


def arranged(rows: Iterable[CorrelationRule]) -> list[Shelved]:
    """The pack and `rows` by priority, then the users' before the shipped, then name."""
    stored = {row.name: row for row in rows}
    found = [_of_the_pack(rule, stored.pop(rule.name, None)) for rule in shipped_rules()]
    found += [_of_a_user(row) for row in stored.values()]
    return sorted(found, key=lambda one: (one.priority, one.origin != USER, one.name))


def in_force() -> InForce:
    """The enabled rules an analysis uses now; one that is broken stops nothing."""
    return enabled_of(shelf())


def enabled_of(shelved: Sequence[Shelved]) -> InForce:
    enabled = [one for one in shelved if one.enabled]
    return InForce(
        rules=tuple(one.rule for one in enabled if one.rule is not None),
        skipped=tuple((one.name, one.problem) for one in enabled if one.problem),
    )


def _of_the_pack(rule: Rule, row: CorrelationRule | None) -> Shelved:
    if row is None:
        document = dict(rule.document)
        return Shelved(rule.name, SHIPPED, True, SHIPPED_PRIORITY, document, rule)
    if row.definition is None:
        moved = parse_rule(rule.document, rule.name, row.priority, shipped=True)
        return Shelved(
            rule.name, SHIPPED, row.enabled, row.priority, dict(rule.document), moved, row=row
        )
    made, problem = _read(row)
    if problem:
        problem = f"{problem} The shipped rule of that name is used instead."
    return Shelved(
        row.name, OVERRIDE, row.enabled, row.priority, _told(row), made or rule, problem, row
    )


def _of_a_user(row: CorrelationRule) -> Shelved:
    if row.definition is None:
        problem = "There is no shipped rule of this name any more."
        return Shelved(row.name, USER, row.enabled, row.priority, {}, None, problem, row)
    made, problem = _read(row)
    return Shelved(row.name, USER, row.enabled, row.priority, _told(row), made, problem, row)


def _read(row: CorrelationRule) -> tuple[Rule | None, str]:
    """(the rule, "") or (None, what is wrong with it)."""
    try:
        return parse_rule(row.definition, row.name, row.priority, shipped=False), ""
    except BadRule as error:
        return None, f"{error}"


def _told(row: CorrelationRule) -> dict[str, Any]:
    """The definition as a mapping: what the pages can show of a broken one."""
    return row.definition if isinstance(row.definition, dict) else {}
