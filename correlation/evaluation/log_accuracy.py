"""How well templates agree with labelled lines: grouping, and which templates are new.

The measures are those of the log parsing literature (GA: Zhu et al., ICSE-SEIP 2019; FGA: Jiang
et al., ISSTA 2024). Pure: labels in, figures out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grouping:
    """`accuracy` (GA): share of lines whose group holds the lines of one event and all of them.

    `f1` (FGA): harmonic mean of the share of found groups that are right and of true groups
    that were found. `found` and `true` count groups, `right` those that agree.
    """

    accuracy: float
    f1: float
    found: int
    true: int
    right: int


@dataclass(frozen=True)
class Novelty:
    """Templates of the second half that the first half does not hold.

    `true` events are new; `caught` of them begin with a line whose template is new too. `flags`
    templates were called new; `correct` of them begin with a line of a new event.
    """

    true: int = 0
    caught: int = 0
    flags: int = 0
    correct: int = 0

    def __add__(self, other: Novelty) -> Novelty:
        return Novelty(
            self.true + other.true,
            self.caught + other.caught,
            self.flags + other.flags,
            self.correct + other.correct,
        )

    @property
    def precision(self) -> float | None:
        """None when nothing was called new."""
        return self.correct / self.flags if self.flags else None

    @property
    def recall(self) -> float | None:
        """None when nothing is new."""
        return self.caught / self.true if self.true else None


def grouping(found: Sequence[Hashable], events: Sequence[Hashable]) -> Grouping:
    """Compare the template of each line with its labelled event; ValueError if lengths differ."""
    of_template = Counter(found)
    of_event = Counter(events)
    both = Counter(zip(found, events, strict=True))
    agreeing = [
        count
        for (template, event), count in both.items()
        if count == of_template[template] == of_event[event]
    ]
    groups = len(of_template) + len(of_event)
    return Grouping(
        accuracy=sum(agreeing) / len(events) if events else 1.0,
        f1=2.0 * len(agreeing) / groups if groups else 1.0,
        found=len(of_template),
        true=len(of_event),
        right=len(agreeing),
    )


def novelty(found: Sequence[Hashable], events: Sequence[Hashable]) -> Novelty:
    """Train on the first half of the lines, then look for what is new in the second."""
    if len(found) != len(events):
        raise ValueError(f"{len(found)} templates for {len(events)} labelled lines")
    half = len(events) // 2
    known_templates, known_events = set(found[:half]), set(events[:half])
    first_of_event: dict[Hashable, int] = {}
    first_of_template: dict[Hashable, int] = {}
    for index in range(half, len(events)):
        if events[index] not in known_events:
            first_of_event.setdefault(events[index], index)
        if found[index] not in known_templates:
            first_of_template.setdefault(found[index], index)
    return Novelty(
        true=len(first_of_event),
        caught=sum(found[index] not in known_templates for index in first_of_event.values()),
        flags=len(first_of_template),
        correct=sum(events[index] not in known_events for index in first_of_template.values()),
    )
