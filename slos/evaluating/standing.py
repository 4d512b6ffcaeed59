"""Counts of every window to how an SLO stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slos.burn import (
    DAY,
    Events,
    Judgement,
    Quality,
    Status,
    budget_remaining,
    burn_rate,
    judge,
    status_of,
)
from slos.definition import Definition
from slos.evaluating.questions import SHORT_WINDOWS
from slos.promql import duration_of

LONG_WINDOWS = (DAY, 3 * DAY)
SHOWN_WINDOWS = (*SHORT_WINDOWS, *LONG_WINDOWS)


@dataclass(frozen=True)
class Standing:
    """`burn_rates` by window ("5m"), None where unknown; `covered` is the share of what has passed
    of the period that has samples."""

    status: Status
    quality: Quality
    sli: float | None
    budget_remaining: float | None
    burn_rates: Mapping[str, float | None]
    judgements: tuple[Judgement, ...]
    covered: float


def long_windows(slo: Definition) -> list[float]:
    """Windows (seconds) beyond those that the source is asked for: shown, or a policy's."""
    wanted = {w for p in slo.policies for w in (p.long_seconds, p.short_seconds)}
    return sorted({*LONG_WINDOWS, *(w for w in wanted if w not in SHORT_WINDOWS)})


def stand(
    slo: Definition,
    windows: Mapping[float, Events],
    period: Events,
    *,
    passed: float = 1.0,
    before: Status | None = None,
    firing_before: Sequence[Any] = (),
) -> Standing:
    """How the SLO stands, given the events of each window (by seconds) and of its period.

    `passed` is the share of the period that has passed: less than 1 within a calendar period.
    `firing_before` are the stored judgements of the last time, `before` its status.
    """
    fired = {(j["long_seconds"], j["short_seconds"]) for j in firing_before if j["firing"]}
    judgements = tuple(
        judge(
            policy,
            windows,
            slo.target,
            least_events=slo.least_events,
            firing_before=(policy.long_seconds, policy.short_seconds) in fired,
        )
        for policy in slo.policies
    )
    shown = {duration_of(w): burn_rate(windows[w], slo.target) for w in windows}
    quality = period.quality
    return Standing(
        status_of(period, slo.target, judgements, before, covered=period.present * passed),
        quality,
        period.sli,
        budget_remaining(period, slo.target),
        shown,
        judgements,
        period.present,
    )


def judgement_json(judgement: Judgement) -> dict[str, Any]:
    policy = judgement.policy
    return {
        "severity": policy.severity,
        "long_seconds": policy.long_seconds,
        "short_seconds": policy.short_seconds,
        "factor": policy.factor,
        "firing": judgement.firing,
        "long_burn": judgement.long_burn,
        "short_burn": judgement.short_burn,
        "held_back": judgement.held_back,
    }
