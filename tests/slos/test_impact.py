from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slos.burn import Events
from slos.impact import (
    Input,
    ServiceImpact,
    budget_burned_percent,
    failed_requests,
    money,
    proposed_severity,
    service_impact,
    totals,
    users_between,
    wilson,
)

QUIET = Events(99_900, 100_000)  # one in a thousand fails on a good day
FAILING = Events(7000, 10_000)
USERS = Input("active users", 15_234, "the catalogue")
REVENUE = Input("revenue per hour", 45_000, "the catalogue")


def make_impact(
    during: Events = FAILING,
    before: Events = QUIET,
    *,
    users: Input = USERS,
    revenue: Input = REVENUE,
) -> ServiceImpact:
    return service_impact(
        "payments",
        during=during,
        before=before,
        seconds=1800,
        users=users,
        revenue_per_hour=revenue,
        events_source="requests of payments",
    )


def test_impact_is_what_the_formulas_give_by_hand() -> None:
    impact = make_impact()

    # 3000 bad less .001 x 10,000 usual; 2990 / 10,000
    assert impact.failed_requests.value == pytest.approx(2990)
    assert impact.failed_share.value == pytest.approx(0.299)
    assert impact.users_affected.value == pytest.approx(0.299 * 15_234)
    assert impact.revenue_at_risk_per_hour.value == pytest.approx(13_455)
    assert impact.revenue_at_risk_total.value == pytest.approx(6727.5)


def test_impact_names_formula_and_inputs() -> None:
    users = make_impact().users_affected

    assert users.formula == "failed_share x active_users"
    assert users.inputs[1] == USERS


@pytest.mark.parametrize(
    ("during", "before", "failed"),
    [
        (Events(0, 0), QUIET, 0.0),  # nobody came: nobody was refused
        (Events(0, 0, 0.0), QUIET, None),  # nobody knows
        (Events(11, 10), QUIET, None),
        (Events(9_999, 10_000), QUIET, 0.0),  # better than usual is not negative
        (Events(7000, 10_000), Events(0, 0, 0.0), 3000.0),  # no time before: nothing usual
    ],
)
def test_failed_requests_are_those_above_the_usual(
    during: Events, before: Events, failed: float | None
) -> None:
    assert failed_requests(during, before) == failed


@pytest.mark.parametrize("name", ["users_affected", "users_affected_low", "users_affected_high"])
def test_unknown_users_are_unknown_and_say_so(name: str) -> None:
    figure = getattr(make_impact(users=Input("active users", None, "the catalogue")), name)

    assert (figure.value, figure.missing) == (None, "active users")


def test_unknown_requests_make_everything_unknown() -> None:
    impact = make_impact(Events(0, 0, 0.0))

    assert impact.failed_requests.value is None
    assert impact.revenue_at_risk_per_hour.value is None
    assert impact.revenue_at_risk_per_hour.missing == "the requests of payments: no_data"


def test_wilson_interval_is_the_textbook_one() -> None:
    low, high = wilson(0.5, 100)

    assert (low, high) == pytest.approx((0.4038, 0.5962), abs=1e-4)


@given(share=st.floats(0, 1), users=st.floats(1, 1e7), requests=st.floats(1, 1e9))
def test_users_lie_between_low_and_high(share: float, users: float, requests: float) -> None:
    low, high = users_between(share, users, requests)

    assert 0 <= low <= share * users * (1 + 1e-9)
    assert share * users <= high * (1 + 1e-9)
    assert high <= users * (1 + 1e-9)


def test_budget_burned_is_the_share_of_the_period() -> None:
    # a million events at 99.9 % may lose 1000; 300 were lost
    figure = budget_burned_percent(Events(700, 1000), 1_000_000, 0.999)

    assert figure.value == pytest.approx(30)


def test_budget_burned_of_an_unknown_period_is_unknown() -> None:
    assert budget_burned_percent(Events(700, 1000), None, 0.999).value is None


@pytest.mark.parametrize(
    ("burn", "tier", "severity"),
    [
        (20, 1, "critical"),
        (20, 2, "high"),
        (20, 4, "medium"),
        (7, 1, "high"),
        (7, 2, "medium"),
        (7, 3, "low"),
        (2, 1, "medium"),
        (2, 3, "low"),
        (None, 1, "high"),
        (None, 2, "medium"),
    ],
)
def test_severity_follows_burn_and_tier(burn: float | None, tier: int, severity: str) -> None:
    assert proposed_severity(burn, tier, [14.4, 6]).severity == severity


def test_severity_says_why() -> None:
    proposal = proposed_severity(20, 1, [14.4, 6])

    assert proposal.reason == (
        "the budget burns 20 times as fast as it may, 14.4 pages; raised a step: tier 1"
    )


def test_services_of_one_path_are_not_counted_twice() -> None:
    first = make_impact()
    second = replace(make_impact(Events(9000, 10_000)), service="storefront")

    assert totals([first, second]).users_affected.value == first.users_affected.value


def test_total_of_unknown_parts_is_unknown_and_names_them() -> None:
    figure = totals([make_impact(Events(0, 0, 0.0))]).users_affected

    assert (figure.value, figure.missing) == (None, "payments")


@pytest.mark.parametrize(
    ("value", "step", "rounded"),
    [
        (13_455.5, "1", Decimal(13_456)),
        (13_455.5, "100", Decimal(13_500)),
        (1.005, "0.01", Decimal("1.01")),
        (None, "1", None),
    ],
)
def test_money_is_rounded_to_the_step(
    value: float | None, step: str, rounded: Decimal | None
) -> None:
    assert money(value, step) == rounded
