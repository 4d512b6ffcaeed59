"""SLI, error budget, burn rate and status: arithmetic on counts of good and total events.

Pure. Ratios are 0..1, durations seconds. The SLI of a period is sum(good) / sum(total), never a
mean of ratios. What cannot be said is None, never 0 or 100 %. Formulas: Google SRE workbook,
"Alerting on SLOs" (multi-window, multi-burn-rate alerts).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WORKBOOK_PERIOD = 30 * DAY
LEAST_SAMPLES = 0.5  # share of a window's samples that must be there before it may fire
LEAST_EVENTS = 1.0
TOLERANCE = 1e-9  # relative: what rounding may make of good = total
LEAST_COVERED = 0.5  # share of its period whose events may say that a budget is spent
LEAVE_EXHAUSTED = 0.01  # budget share to be regained before `exhausted` is left
LEAVE_WARNING = 0.9  # share of a factor below which a long window has to fall to be over


class Quality(StrEnum):
    """What the data behind a number are worth; only OK and PARTIAL carry numbers to act on."""

    OK = "ok"
    PARTIAL = "partial"  # younger than the window, or samples missing: computed on what exists
    NO_TRAFFIC = "no_traffic"  # the series are there and counted nothing
    NO_DATA = "no_data"  # nothing answered for this window
    INCONSISTENT = "inconsistent"  # more good events than events, or negative counts
    FAILED = "failed"  # the source did not answer


class Status(StrEnum):
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    EXHAUSTED = "exhausted"
    NO_DATA = "no_data"


@dataclass(frozen=True)
class Events:
    """Counts of a window. `present` is the share of its samples that were there, 0..1."""

    good: float
    total: float
    present: float = 1.0

    @property
    def bad(self) -> float:
        return max(self.total - self.good, 0.0)

    @property
    def quality(self) -> Quality:
        if not (math.isfinite(self.good) and math.isfinite(self.total)):
            return Quality.INCONSISTENT
        if self.good < 0 or self.total < 0 or self.good > self.total * (1 + TOLERANCE):
            return Quality.INCONSISTENT
        if self.present <= 0:
            return Quality.NO_DATA
        if self.total == 0:
            return Quality.NO_TRAFFIC
        return Quality.OK if self.present >= 1 - TOLERANCE else Quality.PARTIAL

    @property
    def sli(self) -> float | None:
        """good / total; None where the quality allows no number."""
        if self.quality not in (Quality.OK, Quality.PARTIAL):
            return None
        return min(self.good / self.total, 1.0)


NOTHING = Events(0.0, 0.0, 0.0)


def added(parts: Iterable[tuple[Events, float]]) -> Events:
    """The events of windows of these lengths (seconds) laid end to end.

    One inconsistent part makes the sum inconsistent: its counts are kept, not clipped.
    """
    good = total = there = length = 0.0
    broken = False
    for events, seconds in parts:
        length += seconds
        if events.quality is Quality.NO_DATA:
            continue
        broken = broken or events.quality is Quality.INCONSISTENT
        good += events.good
        total += events.total
        there += min(events.present, 1.0) * seconds
    if broken and good <= total:
        good = math.nan
    return Events(good, total, there / length if length else 0.0)


def error_budget(target: float) -> float:
    """1 - target: the share of events that may be bad."""
    return 1.0 - target


def burn_rate(events: Events, target: float) -> float | None:
    """(bad / total) / (1 - target); 1 spends the budget exactly within its period."""
    sli = events.sli
    return None if sli is None else (1.0 - sli) / error_budget(target)


def budget_remaining(events: Events, target: float) -> float | None:
    """1 - bad / ((1 - target) x total) of the period: signed, below 0 when overspent.

    1.0 where there was no traffic: nothing was spent.
    """
    if events.quality is Quality.NO_TRAFFIC:
        return 1.0
    burned = burn_rate(events, target)
    return None if burned is None else 1.0 - burned


def seconds_to_exhaustion(
    remaining: float | None, burn: float | None, period_seconds: float
) -> float | None:
    """remaining x period / burn rate: when the budget ends if it goes on burning like this.

    0 when it has ended; None when it never will (nothing burns) or nobody knows.
    """
    if remaining is None or burn is None:
        return None
    if remaining <= 0:
        return 0.0
    return remaining * period_seconds / burn if burn > 0 else None


@dataclass(frozen=True)
class Policy:
    """Fires when the burn rate of both windows (seconds) is above `factor`."""

    severity: str  # page or ticket
    long_seconds: float
    short_seconds: float
    factor: float


def factor_for(budget_share: float, period_seconds: float, long_seconds: float) -> float:
    """The burn rate that spends `budget_share` of the period's budget in the long window."""
    return budget_share * period_seconds / long_seconds


def workbook_policies(period_seconds: float = WORKBOOK_PERIOD) -> tuple[Policy, ...]:
    """The workbook's table 5-8, scaled to the period; 30 d gives 14.4, 6, 3 and 1."""
    rows = (
        ("page", HOUR, 5 * MINUTE, 0.02),
        ("page", 6 * HOUR, 30 * MINUTE, 0.05),
        ("ticket", DAY, 2 * HOUR, 0.10),
        ("ticket", 3 * DAY, 6 * HOUR, 0.10),
    )
    return tuple(
        Policy(severity, long, short, factor_for(share, period_seconds, long))
        for severity, long, short, share in rows
    )


def never_fires(policy: Policy, target: float) -> bool:
    """factor x (1 - target) >= 1: even if every event were bad it would not be exceeded."""
    return policy.factor * error_budget(target) >= 1.0


@dataclass(frozen=True)
class Judgement:
    """Whether a policy fires, and if not, what held it back (empty: the burn is low)."""

    policy: Policy
    firing: bool
    long_burn: float | None
    short_burn: float | None
    held_back: str = ""


def judge(
    policy: Policy,
    windows: Mapping[float, Events],
    target: float,
    *,
    least_events: float = LEAST_EVENTS,
    firing_before: bool = False,
) -> Judgement:
    """Fires when both windows exceed the factor; one that fires goes on until the long one is
    below it again, however short the short one is.

    Not on fewer than `least_events` in the long window, nor where less than half of either
    window's samples are there; one that fires already is not ended by such a gap: silence is not
    recovery.
    """
    long = windows.get(policy.long_seconds, NOTHING)
    short = windows.get(policy.short_seconds, NOTHING)
    long_burn, short_burn = burn_rate(long, target), burn_rate(short, target)
    too_high = long_burn is not None and long_burn > policy.factor

    def judged(firing: bool, held_back: str = "") -> Judgement:
        return Judgement(policy, firing, long_burn, short_burn, held_back)

    for events, name in ((long, "long"), (short, "short")):
        if events.quality is Quality.INCONSISTENT:
            return judged(firing_before, f"the {name} window's counts contradict each other")
    if long.present < LEAST_SAMPLES:
        return judged(firing_before, "less than half of the long window's samples are there")
    if long.total < least_events:
        if firing_before and long.total > 0 and too_high:
            return judged(True)
        return judged(False, f"fewer than {least_events:g} events in the long window")
    if firing_before:
        return judged(too_high)
    if short.present < LEAST_SAMPLES:
        return judged(False, "less than half of the short window's samples are there")
    return judged(too_high and short_burn is not None and short_burn > policy.factor)


def spent_of_whole(period: Events, target: float, covered: float) -> float | None:
    """The share of a whole period's budget that its bad events are, where `covered` of the period
    has samples and the rest is taken to have as many events for its length: burn rate x covered.
    """
    burned = burn_rate(period, target)
    return None if burned is None else burned * covered


def status_of(
    period: Events,
    target: float,
    judgements: Sequence[Judgement],
    before: Status | None = None,
    *,
    covered: float = 1.0,
) -> Status:
    """The worst that holds, with hysteresis.

    Exhausted from a remaining budget of 0 until LEAVE_EXHAUSTED of it is back; critical while a
    page policy fires, warning while a ticket policy does. A warning is left once the long window
    of each ticket policy is below LEAVE_WARNING of its factor.

    `covered` is the share of the whole period that has samples. Less than LEAST_COVERED says that
    the budget is spent only where it would be if nothing failed in all the rest; else nobody
    knows, and without a policy that fires there is no verdict (NO_DATA).
    """
    remaining = budget_remaining(period, target)
    if remaining is None:
        return Status.NO_DATA
    floor = LEAVE_EXHAUSTED if before is Status.EXHAUSTED else 0.0
    overspent = remaining < floor or (remaining <= 0 and period.bad > 0)
    if overspent and (
        covered >= LEAST_COVERED or (spent_of_whole(period, target, covered) or 0.0) >= 1.0
    ):
        return Status.EXHAUSTED
    if any(j.firing and j.policy.severity == "page" for j in judgements):
        return Status.CRITICAL
    if any(j.firing for j in judgements):
        return Status.WARNING
    if before in (Status.WARNING, Status.CRITICAL):
        for judgement in judgements:
            near = judgement.policy.factor * LEAVE_WARNING
            if judgement.long_burn is not None and judgement.long_burn > near:
                return Status.WARNING
    return Status.NO_DATA if overspent else Status.HEALTHY
