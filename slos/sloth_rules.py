"""Prometheus rules with Sloth's names, so that dashboards made for them work. Pure.

Recording rules of the error ratio by window, of the objective and the budget, and alerts for
each policy. Ratios are sums over sums in every window: where Sloth averages five-minute ratios
over a period (sloth#241), ours record five-minute counts and divide their sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from slos.burn import DAY, HOUR, MINUTE, Policy, error_budget
from slos.definition import Definition, Threshold
from slos.periods import mean_seconds
from slos.promql import Counters, counters, duration_of, samples

WINDOWS = (5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY)
RECORDED_BY = 5 * MINUTE
BAD, TOTAL = "studio:slo_bad_events:increase5m", "studio:slo_events:increase5m"
SAMPLED_EVERY = "30s"


def rules(definitions: Iterable[Definition]) -> str:
    """A rules file: three groups an SLO."""
    groups = [group for slo in definitions for group in _groups(slo)]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=10_000)


def sloth_id(slo: Definition) -> str:
    return f"{slo.service}-{slo.name}"


def labels_of(slo: Definition) -> dict[str, str]:
    return {
        "sloth_id": sloth_id(slo),
        "sloth_service": slo.service,
        "sloth_slo": slo.name,
    }


def period_seconds(slo: Definition) -> float:
    """The length of its period; of a calendar period in months, the mean one's."""
    return mean_seconds(slo.period)


def _groups(slo: Definition) -> list[dict[str, Any]]:
    name = sloth_id(slo)
    return [
        {"name": f"sloth-slo-sli-recordings-{name}", "rules": _sli(slo)},
        {"name": f"sloth-slo-meta-recordings-{name}", "rules": _meta(slo)},
        {"name": f"sloth-slo-alerts-{name}", "rules": [_alert(slo, p) for p in slo.policies]},
    ]


def _sli(slo: Definition) -> list[dict[str, Any]]:
    labels = labels_of(slo)
    bad, total = _counts(slo, duration_of(RECORDED_BY))
    found = [_record(BAD, bad, labels), _record(TOTAL, total, labels)]
    for seconds in sorted({*WINDOWS, *(w for p in slo.policies for w in _windows(p))}):
        window = duration_of(seconds)
        bad, total = _counts(slo, window)
        ratio = f"({bad})\n/\n(({total}) > 0)"
        found.append(
            _record(f"slo:sli_error:ratio_rate{window}", ratio, labels | {"sloth_window": window})
        )
    period = duration_of(period_seconds(slo))
    chosen = _chosen(slo)
    whole = (
        f"sum_over_time({BAD}{chosen}[{period}])\n/\n(sum_over_time({TOTAL}{chosen}[{period}]) > 0)"
    )
    found.append(
        _record(f"slo:sli_error:ratio_rate{period}", whole, labels | {"sloth_window": period})
    )
    return found


def _meta(slo: Definition) -> list[dict[str, Any]]:
    labels, chosen = labels_of(slo), _chosen(slo)
    period = duration_of(period_seconds(slo))
    budget = f"slo:error_budget:ratio{chosen}"
    on = "on(sloth_id, sloth_slo, sloth_service) group_left"
    current = f"slo:sli_error:ratio_rate{duration_of(RECORDED_BY)}{chosen}"
    whole = f"slo:sli_error:ratio_rate{period}{chosen}"
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
            f"(slo:sli_error:ratio_rate{long}{chosen} {above})\nand ignoring(sloth_window)\n"
            f"(slo:sli_error:ratio_rate{short}{chosen} {above})"
        ),
        "labels": {"sloth_severity": policy.severity, "service": slo.service},
        "annotations": {
            "title": title,
            "summary": f"Burn rate above {policy.factor:g} over {long} and {short}.",
        },
    }


def _windows(policy: Policy) -> tuple[float, float]:
    return policy.short_seconds, policy.long_seconds


def _counts(slo: Definition, window: str) -> tuple[str, str]:
    """(bad, total) events of the window."""
    found = counters(slo.indicator)
    if found is None:
        assert isinstance(slo.indicator, Threshold)
        indicator = slo.indicator
        good, total = samples(indicator.query, indicator.op, indicator.value, window, SAMPLED_EVERY)
        return f"{total} - {good}", total
    return _bad(found, window), found.total.count(window)


def _bad(found: Counters, window: str) -> str:
    if found.bad:  # a source that never failed has no series of failures yet
        return f"({found.part.count(window)} or vector(0))"
    return f"{found.total.count(window)} - ({found.part.count(window)} or vector(0))"


def _chosen(slo: Definition) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels_of(slo).items()) + "}"


def _record(name: str, expression: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"record": name, "expr": expression, "labels": labels}
