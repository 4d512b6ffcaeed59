"""What an incident costs: arithmetic on counts, users and revenue. Pure.

Every number comes with the formula it was made by and its inputs with their sources, so that
the page can show them one click away. What is not known is None, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from slos.burn import Events, error_budget

HOUR = 3600.0
Z_95 = 1.959963984540054  # standard normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Input:
    """A value that went into a formula, and where it came from (a query, the catalogue)."""

    name: str
    value: float | str | None
    source: str


@dataclass(frozen=True)
class Figure:
    """A number of the impact; `value` None means unknown, and `missing` says what lacks."""

    value: float | None
    formula: str
    inputs: tuple[Input, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class ServiceImpact:
    """What one service's requests suffered between the incident's start and its end or now."""

    service: str
    failed_requests: Figure
    failed_share: Figure
    users_affected: Figure
    users_affected_low: Figure
    users_affected_high: Figure
    revenue_at_risk_per_hour: Figure
    revenue_at_risk_total: Figure


FAILED = "max(bad - baseline_bad_share x total, 0)"
SHARE = "failed_requests / total"
USERS = "failed_share x active_users"
USERS_LOW = "lower end of the 95 % Wilson interval of failed_share x active_users"
USERS_HIGH = "(1 - (1 - failed_share) ^ requests_per_user) x active_users"
REVENUE = "failed_share x revenue_per_hour"
REVENUE_TOTAL = "failed_share x revenue_per_hour x duration_hours"
BURNED = "100 x bad / ((1 - target) x total of the period)"


def failed_requests(during: Events, before: Events) -> float | None:
    """max(bad - b x total, 0) with b the bad share before the incident (0 without traffic).

    Bad events above what is usual; None where the incident's counts are no basis.
    """
    if during.sli is None:
        return 0.0 if during.quality == "no_traffic" else None
    usual = 1.0 - before.sli if before.sli is not None else 0.0
    return max(during.bad - usual * during.total, 0.0)


def wilson(share: float, trials: float, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share seen in so many trials (Wilson 1927)."""
    if trials <= 0:
        return 0.0, 1.0
    square = z * z / trials
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def users_between(share: float, users: float, requests: float) -> tuple[float, float]:
    """(low, high) users hit when `share` of `requests` failed.

    Low: the failures fell on as few as they can, share x users at the lower end of its 95 %
    interval. High: they fell evenly, so that a user with r = requests / users (at least one)
    requests is spared only if none of them failed: 1 - (1 - share)^r of all.
    """
    low, _ = wilson(share, requests)
    each = max(requests / users, 1.0) if users > 0 else 1.0
    high = 1.0 - (1.0 - share) ** each
    return min(low, share) * users, max(high, share) * users


def service_impact(
    service: str,
    *,
    during: Events,
    before: Events,
    seconds: float,
    users: Input,
    revenue_per_hour: Input,
    events_source: str,
) -> ServiceImpact:
    """The impact on one service of an incident that has lasted `seconds`.

    `users` and `revenue_per_hour` are inputs whose value is None where unknown.
    """
    usual = 1.0 - before.sli if before.sli is not None else 0.0
    counts = (
        Input("bad", during.bad, events_source),
        Input("total", during.total, events_source),
        Input("baseline_bad_share", usual, f"{events_source}, before the incident"),
    )
    failed = failed_requests(during, before)
    why = "" if failed is not None else f"the requests of {service}: {during.quality.value}"
    share = None if failed is None else (failed / during.total if during.total > 0 else 0.0)
    share_input = Input("failed_share", share, SHARE)

    def scaled(by: Input, formula: str, extra: Sequence[Input] = (), times: float = 1.0) -> Figure:
        inputs = (share_input, by, *extra)
        if share is None:
            return Figure(None, formula, inputs, why)
        if by.value is None:
            return Figure(None, formula, inputs, by.name)
        return Figure(share * float(by.value) * times, formula, inputs)

    low = high = None
    if share is not None and users.value is not None:
        low, high = users_between(share, float(users.value), during.total)
    per_user = (share_input, users, Input("total", during.total, events_source))
    lacking = why or (users.name if users.value is None else "")
    hours = Input("duration_hours", seconds / HOUR, "the incident")
    return ServiceImpact(
        service,
        Figure(failed, FAILED, counts, why),
        Figure(share, SHARE, counts, why),
        scaled(users, USERS),
        Figure(low, USERS_LOW, per_user, lacking),
        Figure(high, USERS_HIGH, per_user, lacking),
        scaled(revenue_per_hour, REVENUE),
        scaled(revenue_per_hour, REVENUE_TOTAL, (hours,), seconds / HOUR),
    )


def unknown_impact(service: str, why: str) -> ServiceImpact:
    """All figures of a service unknown, for this reason."""
    formulas = (FAILED, SHARE, USERS, USERS_LOW, USERS_HIGH, REVENUE, REVENUE_TOTAL)
    return ServiceImpact(service, *(Figure(None, formula, (), why) for formula in formulas))


def objective_missed(during: Events, target: float, least_events: float) -> bool:
    """Whether more was bad than the objective allows, and not by chance of few events.

    The lower end of the 95 % Wilson interval of the bad share lies above 1 - target.
    """
    sli = during.sli
    if sli is None or during.total < least_events:
        return False
    low, _ = wilson(1.0 - sli, during.total)
    return low > error_budget(target)


def budget_burned_percent(during: Events, period_total: float | None, target: float) -> Figure:
    """100 x bad / ((1 - target) x total): how much of the period's budget the incident took.

    `period_total` is the number of events of a whole period, None where nobody knows.
    """
    inputs = (
        Input("bad", during.bad, "the SLO's events during the incident"),
        Input("total of the period", period_total, "the SLO's stored events"),
        Input("target", target, "the SLO"),
    )
    if during.sli is None and during.quality != "no_traffic":
        return Figure(None, BURNED, inputs, f"the SLO's events: {during.quality.value}")
    if not period_total:
        return Figure(None, BURNED, inputs, "events of the period")
    return Figure(100 * during.bad / (error_budget(target) * period_total), BURNED, inputs)


@dataclass(frozen=True)
class Proposal:
    """The severity that burn rate and tier ask for, and why, in words."""

    severity: str
    reason: str


SEVERITIES = ("low", "medium", "high", "critical")


def proposed_severity(burn: float | None, tier: int, page_factors: Sequence[float]) -> Proposal:
    """Severity from how fast the budget burns and how much the service matters (tier 1 most).

    At or above the fastest page factor: high; above any page factor: medium; burning at all
    (above 1): low. Tier 1 raises it one step, tiers 3 and 4 lower it one. Unknown burn: medium,
    raised and lowered alike, because unknown is not harmless.
    """
    fastest, slowest = max(page_factors, default=14.4), min(page_factors, default=6.0)
    if burn is None:
        step, said = 1, "how fast the budget burns is unknown"
    elif burn >= fastest:
        step, said = 2, f"the budget burns {burn:.3g} times as fast as it may, {fastest:.3g} pages"
    elif burn > slowest:
        step, said = 1, f"the budget burns {burn:.3g} times as fast as it may, {slowest:.3g} pages"
    else:
        step, said = 0, f"the budget burns {burn:.3g} times as fast as it may"
    change = 1 if tier <= 1 else -1 if tier >= 3 else 0
    moved = {1: "raised a step: ", -1: "lowered a step: ", 0: ""}[change]
    severity = SEVERITIES[min(max(step + change, 0), len(SEVERITIES) - 1)]
    return Proposal(severity, f"{said}; {moved}tier {tier}")


@dataclass(frozen=True)
class Totals:
    """Of all services together; `missing` names the services that nobody knows of."""

    failed_requests: Figure
    users_affected: Figure
    users_affected_low: Figure
    users_affected_high: Figure
    revenue_at_risk_per_hour: Figure
    revenue_at_risk_total: Figure
    services: tuple[ServiceImpact, ...] = field(default=())


def totals(services: Sequence[ServiceImpact]) -> Totals:
    """The largest of the services' numbers, each for itself.

    The users of two services in one request path are the same people, and a purchase that fails
    in checkout fails in the frontend too: adding would count them twice.
    """
    return Totals(
        _largest(services, "failed_requests"),
        _largest(services, "users_affected"),
        _largest(services, "users_affected_low"),
        _largest(services, "users_affected_high"),
        _largest(services, "revenue_at_risk_per_hour"),
        _largest(services, "revenue_at_risk_total"),
        tuple(services),
    )


def _known(services: Sequence[ServiceImpact], name: str) -> tuple[Mapping[str, float], list[str]]:
    known = {s.service: getattr(s, name).value for s in services}
    return (
        {service: value for service, value in known.items() if value is not None},
        [service for service, value in known.items() if value is None],
    )


def _largest(services: Sequence[ServiceImpact], name: str) -> Figure:
    known, unknown = _known(services, name)
    inputs = tuple(Input(service, value, name) for service, value in known.items())
    value = max(known.values()) if known else None
    return Figure(value, "the largest of the services", inputs, ", ".join(unknown))


def money(value: float | None, step: str = "1") -> Decimal | None:
    """Rounded half up to a multiple of `step` ("0.01", "1", "100"); None stays None."""
    if value is None:
        return None
    unit = Decimal(step)
    return (Decimal(str(value)) / unit).quantize(Decimal("1"), ROUND_HALF_UP) * unit
