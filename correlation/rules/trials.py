"""A dry run: what past incidents would have been answered under other rules.

The stored telemetry of finished analyses goes through the ranking twice, with the rules in force
and with those proposed. Nothing is written and no source is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from correlation.memory import snapshots
from correlation.models import Analysis, CorrelationRule
from correlation.ranking import rank
from correlation.rules.edits import is_shipped
from correlation.rules.matching import Rule
from correlation.rules.shelf import Shelved, arranged, enabled_of, shelf
from correlation.rules.vocabulary import SHIPPED_PRIORITY, USER_PRIORITY
from correlation.telemetry import Cause, Ranking, Telemetry
from incidents.outbound.deadline import Deadline

MOST_INCIDENTS = 50
DEFAULT_INCIDENTS = 20
SECONDS = 8.0
"""A page waits for it: what is not reached in this time is said to be left out."""


@dataclass(frozen=True)
class Answer:
    """The first cause of a ranking; `service` is "" where there was none."""

    service: str
    kind: str
    title: str
    rule: str
    confidence: float
    inconclusive: bool

    @classmethod
    def of(cls, ranking: Ranking) -> Answer:
        first = ranking.causes[0] if ranking.causes else None
        if first is None:
            return cls("", "", "no cause", "", 0.0, True)
        return cls(
            first.service,
            first.kind,
            first.title,
            first.rule,
            first.confidence,
            ranking.inconclusive,
        )


@dataclass(frozen=True)
class Trial:
    """One incident: its latest analysis under both sets of rules.

    `changed` is true when any cause differs in place, kind, title or confidence; `below` are the
    ranks after the first that do.
    """

    analysis: Analysis
    before: Answer
    after: Answer
    changed: bool
    below: tuple[int, ...] = ()

    @property
    def first_changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class Trials:
    """`not_replayable` incidents had no stored telemetry, `left_out` came too late to be tried."""

    trials: tuple[Trial, ...]
    not_replayable: int = 0
    left_out: int = 0

    @property
    def tried(self) -> int:
        return len(self.trials)

    @property
    def changed(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.changed]

    @property
    def changed_count(self) -> int:
        return len(self.changed)


def edited(name: str, changes: Mapping[str, Any]) -> list[Shelved]:
    """The shelf with the rule of that name changed so, or new.

    `changes` are of enabled, priority and definition. Raises BadRule when it cannot be a rule.
    """
    rows = {row.name: row for row in CorrelationRule.objects.all()}
    row = rows.get(name)
    if row is None:
        priority = SHIPPED_PRIORITY if is_shipped(name) else USER_PRIORITY
        row = CorrelationRule(name=name, priority=priority)
    for field, value in changes.items():
        setattr(row, field, value)
    row.check_definition()
    return arranged([*(one for one in rows.values() if one.name != name), row])


def try_out(
    after: Sequence[Shelved], *, limit: int = DEFAULT_INCIDENTS, seconds: float = SECONDS
) -> Trials:
    """The newest `limit` incidents that have a finished analysis, at most MOST_INCIDENTS."""
    deadline = Deadline(seconds)
    now, then = enabled_of(shelf()).rules, enabled_of(after).rules
    latest = (
        Analysis.objects.finished()
        .filter(superseded_by=None, incident__merged_into=None)
        .select_related("incident")
        .order_by("-finished_at", "-id")[: min(limit, MOST_INCIDENTS)]
    )
    trials: list[Trial] = []
    rows, lost = list(latest), 0
    for place, analysis in enumerate(rows):
        if deadline.expired():
            return Trials(tuple(trials), lost, len(rows) - place)
        try:
            telemetry = snapshots.load(analysis)
        except snapshots.NotReplayable:
            lost += 1
        else:
            trials.append(_trial(analysis, telemetry, now, then))
    return Trials(tuple(trials), lost)


def _trial(
    analysis: Analysis, telemetry: Telemetry, now: Sequence[Rule], then: Sequence[Rule]
) -> Trial:
    before, after = rank(telemetry, rules=now), rank(telemetry, rules=then)
    pairs = list(zip_longest(map(_shown, before.causes), map(_shown, after.causes)))
    differ = [place for place, (old, new) in enumerate(pairs, start=1) if old != new]
    return Trial(
        analysis,
        Answer.of(before),
        Answer.of(after),
        bool(differ) or before.inconclusive != after.inconclusive,
        tuple(place for place in differ if place > 1),
    )


def _shown(cause: Cause) -> tuple[str, str, str, str, float]:
    return cause.service, cause.kind, cause.title, cause.rule, round(cause.confidence, 4)
