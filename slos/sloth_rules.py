"""Prometheus rules with Sloth's names, so that dashboards made for them work. Pure.

Recording rules of the error ratio by window, of the objective and the budget, and alerts for
each policy. Ratios are sums over sums in every window: where Sloth averages five-minute ratios
over a period (sloth#241), ours record the events of each minute and divide their sums.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import yaml

from slos.burn import DAY, HOUR, MINUTE, Policy, error_budget
from slos.definition import Definition, Indicator, Threshold
from slos.periods import mean_seconds
from slos.promql import EDGE_SECONDS, Counter, counters, duration_of, samples

WINDOWS = (5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY)
RATIO = "slo:sli_error:ratio_rate"
MARK = "studio_sli"
"""The label by which evaluation knows records to be of an SLO's present indicator."""
RECORDED_EVERY = MINUTE
BAD, TOTAL = "studio:slo_bad_events:count1m", "studio:slo_events:count1m"
ASKED_SECONDS = 6 * HOUR
"""Longer windows are sums of stored rows to evaluation, and here as exact as those."""
SCRAPE_SECONDS = 15.0


def rules(definitions: Iterable[Definition], scrape_seconds: float = SCRAPE_SECONDS) -> str:
    """A rules file: three groups an SLO. Gauges are sampled once a scrape, as evaluation does."""
    return as_file(group for slo in definitions for group in groups(slo, scrape_seconds))


def as_file(found: Iterable[dict[str, Any]]) -> str:
    """A rules file of these groups."""
    whole = {"groups": list(found)}
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=10_000)


def sloth_id(slo: Definition) -> str:
    return f"{slo.service}-{slo.name}"


def labels_of(slo: Definition) -> dict[str, str]:
    return {
        "sloth_id": sloth_id(slo),
        "sloth_service": slo.service,
        "sloth_slo": slo.name,
    }


@lru_cache(5000)
def mark_of(indicator: Indicator) -> str:
    """What tells records of this very indicator from those of what an SLO once was."""
    return hashlib.sha256(repr(indicator).encode()).hexdigest()[:12]


def period_seconds(slo: Definition) -> float:
    """The length of its period; of a calendar period in months, the mean one's."""
    return mean_seconds(slo.period)


def groups(slo: Definition, scrape_seconds: float) -> list[dict[str, Any]]:
    name = sloth_id(slo)
    every = {"interval": duration_of(RECORDED_EVERY)}
    sli = _sli(slo, scrape_seconds)
    return [
        {"name": f"sloth-slo-sli-recordings-{name}", **every, "rules": sli},
        {"name": f"sloth-slo-meta-recordings-{name}", "rules": _meta(slo)},
        {"name": f"sloth-slo-alerts-{name}", "rules": [_alert(slo, p) for p in slo.policies]},
    ]


def _sli(slo: Definition, scrape_seconds: float) -> list[dict[str, Any]]:
    """The period is a sum of recorded minutes: no server can scan thirty days for every SLO."""
    labels, chosen = labels_of(slo) | {MARK: mark_of(slo.indicator)}, _chosen(slo)
    bad, total = _counts(slo, RECORDED_EVERY, scrape_seconds, exact=True)
    found = [_record(BAD, bad, labels), _record(TOTAL, total, labels)]
    whole = period_seconds(slo)
    for seconds in sorted({*WINDOWS, *(w for p in slo.policies for w in _windows(p)), whole}):
        window = duration_of(seconds)
        if seconds == whole:
            bad, total = (f"sum_over_time({name}{chosen}[{window}])" for name in (BAD, TOTAL))
        else:
            bad, total = _counts(slo, seconds, scrape_seconds, exact=seconds > ASKED_SECONDS)
        ratio = f"({bad})\n/\n(({total}) > 0)"
        found.append(_record(f"{RATIO}{window}", ratio, labels | {"sloth_window": window}))
    return found


def _meta(slo: Definition) -> list[dict[str, Any]]:
    labels, chosen = labels_of(slo), _chosen(slo)
    period = duration_of(period_seconds(slo))
    budget = f"slo:error_budget:ratio{chosen}"
    on = "on(sloth_id, sloth_slo, sloth_service) group_left"
    current = f"{RATIO}{duration_of(WINDOWS[0])}{chosen}"
    whole = f"{RATIO}{period}{chosen}"
    days = period_seconds(slo) / DAY
    return [
        _record("slo:objective:ratio", f"vector({slo.target!r})", labels),
        _record("slo:error_budget:ratio", f"vector(1-{slo.target!r})", labels),
        _record("slo:time_period:days", f"vector({days:g})", labels),
        _record("slo:current_burn_rate:ratio", f"{current} / {on} {budget}", labels),
        _record("slo:period_burn_rate:ratio", f"{whole} / {on} {budget}", labels),
        _record(
            "slo:period_error_budget_remaining:ratio",
            f"1 - slo:period_burn_rate:ratio{chosen}",
            labels,
        ),
    ]


def _alert(slo: Definition, policy: Policy) -> dict[str, Any]:
    long, short = (duration_of(seconds) for seconds in _windows(policy)[::-1])
    title = f"({policy.severity}) {slo.service} {slo.name} burns its error budget too fast"
    above = f"> ({policy.factor!r} * {error_budget(slo.target)!r})"
    chosen = _chosen(slo)
    return {
        "alert": f"{slo.name}-{policy.severity}-{long}",
        "expr": (
            f"({RATIO}{long}{chosen} {above})\nand ignoring(sloth_window)\n"
            f"({RATIO}{short}{chosen} {above})"
        ),
        "labels": {"sloth_severity": policy.severity, "service": slo.service},
        "annotations": {
            "title": title,
            "summary": f"Burn rate above {policy.factor:g} over {long} and {short}.",
        },
    }


def _windows(policy: Policy) -> tuple[float, float]:
    return policy.short_seconds, policy.long_seconds


def _counts(
    slo: Definition, seconds: float, scrape_seconds: float, *, exact: bool
) -> tuple[str, str]:
    """(bad, total) events of the window; `exact` ones add up to those of longer spans."""
    found = counters(slo.indicator)
    if found is None:
        assert isinstance(slo.indicator, Threshold)
        indicator = slo.indicator
        good, total = samples(
            indicator.query,
            indicator.op,
            indicator.value,
            duration_of(seconds - EDGE_SECONDS if exact else seconds),
            duration_of(scrape_seconds),
        )
        return f"{total} - {good}", total

    def count(counter: Counter) -> str:
        if exact:
            return counter.exact(seconds, scrape_seconds)
        return counter.count(duration_of(seconds))

    part = f"({count(found.part)} or vector(0))"  # what never happened has no series yet
    total = count(found.total)
    return (part if found.bad else f"{total} - {part}"), total


def _chosen(slo: Definition) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels_of(slo).items()) + "}"


def _record(name: str, expression: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"record": name, "expr": expression, "labels": labels}
