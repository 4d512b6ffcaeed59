"""What a look at the source says of an SLO: what is wrong, what is only worth knowing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from slos.burn import HOUR, Quality, burn_rate, never_fires, seconds_to_exhaustion
from slos.checking.looking import WINDOW_SECONDS, Looked, fields_of
from slos.definition import Definition, Latency, Ratio
from slos.periods import mean_seconds
from slos.promql import duration_of

HERE = "in the last hour"


@dataclass(frozen=True)
class Verdict:
    """`errors` and `no_data` by field; `warnings` are whole sentences. An SLO with `no_data` is
    saved only where somebody says that none is expected yet."""

    errors: dict[str, str] = field(default_factory=dict)
    no_data: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def verdict(slo: Definition, looked: Looked) -> Verdict:
    """Refused: what the source cannot read, more good than there were, a bucket that is not."""
    part, total = fields_of(slo.indicator)
    if looked.unreachable:
        asked = f"The data source {looked.source}" if looked.source else "No data source"
        why = looked.unreachable.rstrip(".")
        return Verdict(
            warnings=(f"{asked} could not be asked ({why}): nothing was checked there.",)
        )
    if looked.errors:
        return Verdict(errors=dict(looked.errors))
    if total in looked.missing:
        return Verdict(no_data={total: f"No data {HERE}."})
    events = looked.events
    if looked.missing and isinstance(slo.indicator, Latency):
        if not looked.buckets:
            return Verdict(no_data={part: f"No bucket {HERE} ends at {slo.indicator.seconds:g} s."})
        ends = ", ".join(f"{end:g}" for end in looked.buckets)
        why = f"No bucket ends at {slo.indicator.seconds:g} s. Those that there are end at: {ends}."
        return Verdict(errors={part: why})
    if looked.missing and isinstance(slo.indicator, Ratio) and slo.indicator.good:
        return Verdict(no_data={part: f"No data {HERE}, though there were events: SLI 0 %."})
    if events.quality is Quality.INCONSISTENT:
        if isinstance(slo.indicator, Ratio) and slo.indicator.bad:
            bad = events.total - events.good
            why = f"More bad events ({bad:.6g}) than events ({events.total:.6g}) {HERE}."
        else:
            why = f"More good events ({events.good:.6g}) than events ({events.total:.6g}) {HERE}."
        return Verdict(errors={part: why})
    return Verdict(warnings=tuple(_notes(looked)))


def _notes(looked: Looked) -> list[str]:
    notes = []
    if looked.missing:
        notes.append(f"No bad event has a series {HERE}: it counts as none.")
    if looked.events.quality is Quality.NO_TRAFFIC:
        notes.append(f"The series are there, and counted nothing {HERE}.")
    if looked.events.quality is Quality.PARTIAL:
        notes.append(f"{looked.events.present:.0%} of the scrapes are there {HERE}.")
    return notes


def trial(slo: Definition, looked: Looked) -> dict[str, Any]:
    """What the check shows: the last hour, what it spent, and how each policy would act on it.

    `budget_burned` is the share of a period's budget that an hour like this one spends.
    """
    known = not looked.unreachable and not looked.errors
    events = looked.events
    burn = burn_rate(events, slo.target) if known else None
    period = mean_seconds(slo.period)
    return {
        "source": looked.source,
        "window_seconds": WINDOW_SECONDS,
        "quality": (events.quality if known else Quality.FAILED).value,
        "good": events.good if known and events.quality is not Quality.NO_DATA else None,
        "total": events.total if known and events.quality is not Quality.NO_DATA else None,
        "sli": events.sli if known else None,
        "burn_rate": burn,
        "budget_burned": None if burn is None else burn * HOUR / period,
        "budget_lasts_seconds": seconds_to_exhaustion(1.0, burn, period),
        "policies": [
            {
                "severity": policy.severity,
                "long_window": duration_of(policy.long_seconds),
                "short_window": duration_of(policy.short_seconds),
                "factor": policy.factor,
                "never_fires": never_fires(policy, slo.target),
                "budget_spent": policy.factor * policy.long_seconds / period,
                "exceeded": None if burn is None else burn > policy.factor,
            }
            for policy in slo.policies
        ],
    }
