"""How much a change among requests counts: how sure it is, and how large."""

from __future__ import annotations

import math

import numpy as np

from correlation.steps.habits import Shift
from correlation.steps.numbering import Ints
from correlation.telemetry import Floats

ODDS_HALFWAY = 1.6
"""The change in the log of the odds that an engineer would call "maybe"."""


def sure(z: Floats, tests: int) -> Floats:
    """0..1, logistic in |z|, about the largest that `tests` tests show by chance."""
    centre = math.sqrt(2.0 * math.log(tests))
    certain: Floats = 1.0 / (1.0 + np.exp(-np.clip((np.abs(z) - centre) / 0.6, -40.0, 40.0)))
    return certain


def squared_hill(x: Floats, halfway: float) -> Floats:
    """0 at 0, one half at `halfway`, towards 1 beyond: `magnitude.hill` of steepness 2."""
    powered = (x / halfway) ** 2
    return powered / (1.0 + powered)


def habit_worths(shift: Shift, tests: int) -> Floats:
    """0..1 for each habit of `shift`."""
    return sure(shift.z, tests) * squared_hill(np.abs(shift.odds()), ODDS_HALFWAY)


def most_of_each(groups: Ints, worths: Floats, count: int) -> Floats:
    """The largest of the worths in each of `count` groups, 0 where there is none."""
    most = np.zeros(count)
    np.maximum.at(most, groups, worths)
    return most
