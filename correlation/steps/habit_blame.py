"""How much a changed call, or a changed step in the course of an operation, is worth.

A habit that changed counts by how sure and how large the change is, and by what it turned to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from correlation.steps.flow import ENDED, Flow
from correlation.steps.habits import Key, Shift
from correlation.steps.numbering import Ints, numbered, numbers
from correlation.steps.sureness import habit_worths, most_of_each
from correlation.telemetry import Floats

LEVEL_WEIGHTS = {"fatal": 1.0, "error": 1.0, "warn": 0.95, "": 0.85, "info": 0.85, "debug": 0.6}
LEAST_WEIGHT = 0.6
BROKEN_LEVELS = frozenset({"error", "fatal"})

CUT_SHORT = 1.0
"""An operation that ends where it used to go on: as good as an error line."""

RECOVERED = 0.25
"""One that ends where it used to log an error, or goes on where it used to end: it got better."""

NEW_CALL, LOST_CALL = 0.45, 0.9
"""A call that is no longer made says that work stopped, as far as no other is made instead: a new
one may only follow another's, or show that a service goes on where it used to fail.
"""


@dataclass(frozen=True, eq=False)
class Services:
    """Whose each of some habits is: `names` sorted, `of` by habit."""

    names: list[str]
    of: Ints

    @classmethod
    def of_keys(cls, keys: list[Key]) -> Services:
        services = [service for service, _ in keys]
        known = numbered(services)
        return cls(list(known), numbers(services, known))

    def most(self, shift: Shift, worths: Floats) -> dict[str, float]:
        """The largest worth of each service whose habits could be compared."""
        of = self.of[shift.which]
        most = most_of_each(of, worths, len(self.names))
        return {self.names[at]: float(most[at]) for at in np.unique(of).tolist()}


@dataclass(frozen=True, eq=False)
class Turns:
    """By step: after which statement of which service it is taken, how ill it bodes, its weight.

    It bodes 2 for one to an error line, 1 to the end of the operation, else 0.
    """

    branches: Ints
    broken: Ints
    weights: Floats

    @classmethod
    def of(cls, course: Flow) -> Turns:
        branch_of: dict[tuple[str, str], int] = {}
        branches, broken, weights = [], [], []
        for service, what in course.steps.keys:
            before, after = step(what)
            branches.append(branch_of.setdefault((service, before), len(branch_of)))
            level = "" if after == ENDED else course.statements[service, after].level
            broken.append(1 if after == ENDED else 2 if level in BROKEN_LEVELS else 0)
            weights.append(CUT_SHORT if after == ENDED else LEVEL_WEIGHTS.get(level, LEAST_WEIGHT))
        return cls(
            np.array(branches, dtype=np.int64),
            np.array(broken, dtype=np.int64),
            np.array(weights, dtype=np.float64),
        )

    def worths(self, shift: Shift, tests: int) -> Floats:
        """0..1 for each step of `shift`, by what the course turned from and to."""
        worths = habit_worths(shift, tests)
        _, branch = np.unique(self.branches[shift.which], return_inverse=True)
        to = shift.which[_first_of_each(branch, -shift.z)]
        away = shift.which[_first_of_each(branch, shift.z)]
        better = self.broken[to] < self.broken[away]
        return np.where(better, RECOVERED, self.weights[to])[branch] * worths


def call_worths(shift: Shift, services: Services, tests: int) -> Floats:
    """0..1 for each call of `shift`."""
    worths = habit_worths(shift, tests)
    of, up, count = services.of[shift.which], shift.z > 0.0, len(services.names)
    more = np.bincount(of[up], weights=worths[up], minlength=count)[of]
    less = np.bincount(of[~up], weights=worths[~up], minlength=count)[of]
    fewer = LOST_CALL * less / np.maximum(less + more, 1e-9)
    return np.where(shift.z < 0.0, fewer, NEW_CALL) * worths


def step(what: object) -> tuple[str, str]:
    """What a step is from and to."""
    assert isinstance(what, tuple)
    return str(what[0]), str(what[1])


def _first_of_each(groups: Ints, by: Floats) -> Ints:
    """The place of the least of each group (numbered from 0, none missing), the first of equals."""
    order = np.lexsort((by, groups))
    ordered = groups[order]
    return order[np.flatnonzero(np.append([True], ordered[1:] != ordered[:-1])[: ordered.size])]
