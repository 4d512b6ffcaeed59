"""Worked examples, computed by hand, and properties that hold for any counts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slos.burn import (
    DAY,
    HOUR,
    MINUTE,
    Events,
    Judgement,
    Policy,
    Quality,
    Status,
    added,
    budget_remaining,
    burn_rate,
    judge,
    never_fires,
    seconds_to_exhaustion,
    status_of,
    workbook_policies,
)

PAGE = Policy("page", HOUR, 5 * MINUTE, 14.4)
TICKET = Policy("ticket", DAY, 2 * HOUR, 3.0)


@pytest.mark.parametrize(
    ("good", "total", "target", "sli", "burn", "remaining"),
    [
        (0, 0, 0.999, None, None, 1.0),  # zero traffic: nothing spent, nothing proved
        (1, 1, 0.999, 1.0, 0.0, 1.0),  # one request, good
        (0, 1, 0.999, 0.0, 1000.0, -999.0),  # one request, bad
        (999, 1000, 0.999, 0.999, 1.0, 0.0),  # exactly at the target
        (9990, 10_000, 0.9995, 0.999, 2.0, -1.0),  # twice the budget spent
        (99_999, 100_000, 0.99999, 0.99999, 1.0, 0.0),  # five nines
        (999_995, 1_000_000, 0.99999, 0.999995, 0.5, 0.5),
        (900, 1000, 0.9, 0.9, 1.0, 0.0),
    ],
)
def test_counts_give_sli_burn_and_budget(
    good: float,
    total: float,
    target: float,
    sli: float | None,
    burn: float | None,
    remaining: float | None,
) -> None:
    events = Events(good, total)

    assert events.sli == (None if sli is None else pytest.approx(sli, rel=1e-12))
    assert burn_rate(events, target) == (None if burn is None else pytest.approx(burn, abs=1e-6))
    assert budget_remaining(events, target) == pytest.approx(remaining, abs=1e-6)


@pytest.mark.parametrize(
    ("events", "quality"),
    [
        (Events(10, 10), Quality.OK),
        (Events(10, 10, 0.6), Quality.PARTIAL),
        (Events(0, 0), Quality.NO_TRAFFIC),
        (Events(0, 0, 0.0), Quality.NO_DATA),
        (Events(11, 10), Quality.INCONSISTENT),
        (Events(-1, 10), Quality.INCONSISTENT),
        (Events(1, -10), Quality.INCONSISTENT),
        (Events(math.nan, 10), Quality.INCONSISTENT),
        (Events(10 * (1 + 1e-12), 10), Quality.OK),  # rounding of a rate
    ],
)
def test_quality_says_what_the_counts_are_worth(events: Events, quality: Quality) -> None:
    assert events.quality is quality


@pytest.mark.parametrize("events", [Events(0, 0, 0.0), Events(11, 10), Events(math.inf, 10)])
def test_what_is_not_known_is_none_and_no_data(events: Events) -> None:
    assert events.sli is None
    assert burn_rate(events, 0.999) is None
    assert budget_remaining(events, 0.999) is None
    assert status_of(events, 0.999, []) is Status.NO_DATA


def test_added_windows_weigh_events_and_not_windows() -> None:
    # a mean of ratios would give (1.0 + 0.5) / 2 = .75
    whole = added([(Events(990, 990), 300), (Events(5, 10), 300)])

    assert whole.sli == 995 / 1000


def test_added_windows_remember_a_gap() -> None:
    whole = added([(Events(10, 10), 300), (Events(0, 0, 0.0), 900)])

    assert whole == Events(10, 10, 0.25)
    assert whole.quality is Quality.PARTIAL


def test_added_windows_do_not_hide_an_inconsistent_one() -> None:
    whole = added([(Events(12, 10), 300), (Events(10, 20), 300)])

    assert whole.quality is Quality.INCONSISTENT


def test_workbook_factors_are_those_of_its_table() -> None:
    factors = [policy.factor for policy in workbook_policies()]

    assert factors == pytest.approx([14.4, 6, 3, 1])


def test_workbook_factors_scale_with_the_period() -> None:
    factors = [policy.factor for policy in workbook_policies(28 * DAY)]

    assert factors == pytest.approx([13.44, 5.6, 2.8, 2.8 / 3])


@pytest.mark.parametrize(
    ("target", "expected"), [(0.9, True), (0.95, False), (0.93, True), (0.999, False)]
)
def test_policy_that_can_never_fire_is_told(target: float, expected: bool) -> None:
    # 14.4 x .1 = 1.44, 14.4 x .05 = .72, 14.4 x .07 = 1.008
    assert never_fires(PAGE, target) is expected


def windows(long: Events, short: Events) -> dict[float, Events]:
    return {HOUR: long, 5 * MINUTE: short}


@pytest.mark.parametrize(
    ("long", "short", "before", "firing"),
    [
        (Events(980, 1000), Events(80, 100), False, True),  # 20 and 200
        (Events(980, 1000), Events(100, 100), False, False),  # it is over already
        (Events(999, 1000), Events(80, 100), False, False),  # 1: too little so far
        (Events(9856, 10_000), Events(80, 100), False, False),  # 14.4 exactly is not above it
        (Events(980, 1000), Events(100, 100), True, True),  # ends on the long window
        (Events(986, 1000), Events(0, 100), True, False),  # 14 on the long one
    ],
)
def test_policy_fires_on_both_windows_and_ends_on_the_long_one(
    long: Events, short: Events, before: bool, firing: bool
) -> None:
    judged = judge(PAGE, windows(long, short), 0.999, firing_before=before)

    assert judged.firing is firing


@pytest.mark.parametrize(
    ("long", "short", "why"),
    [
        (Events(1, 4), Events(1, 4), "fewer than 10 events in the long window"),
        (
            Events(0, 100, 0.4),
            Events(0, 100),
            "less than half of the long window's samples are there",
        ),
        (
            Events(0, 100),
            Events(0, 100, 0.4),
            "less than half of the short window's samples are there",
        ),
        (Events(101, 100), Events(0, 100), "the long window's counts contradict each other"),
    ],
)
def test_policy_says_what_held_it_back(long: Events, short: Events, why: str) -> None:
    judged = judge(PAGE, windows(long, short), 0.999, least_events=10)

    assert (judged.firing, judged.held_back) == (False, why)


@pytest.mark.parametrize(
    "long", [Events(0, 0, 0.0), Events(101, 100), Events(990, 1000, 0.3)], ids=str
)
def test_policy_that_fires_is_not_ended_by_a_gap(long: Events) -> None:
    judged = judge(PAGE, windows(long, Events(0, 0, 0.0)), 0.999, firing_before=True)

    assert judged.firing


def fires(policy: Policy, long_burn: float, *, firing: bool) -> Judgement:
    return Judgement(policy, firing, long_burn, long_burn)


@pytest.mark.parametrize(
    ("bad", "judgements", "before", "status"),
    [
        (0, [], None, Status.HEALTHY),
        (5, [fires(TICKET, 4, firing=True)], None, Status.WARNING),
        (5, [fires(PAGE, 20, firing=True), fires(TICKET, 4, firing=True)], None, Status.CRITICAL),
        (10, [fires(PAGE, 20, firing=True)], None, Status.EXHAUSTED),  # 10 of 10 spent
        (12, [], None, Status.EXHAUSTED),
        (9.95, [], Status.EXHAUSTED, Status.EXHAUSTED),  # half a percent is back: not enough
        (9.8, [], Status.EXHAUSTED, Status.HEALTHY),
        (5, [fires(TICKET, 2.9, firing=False)], Status.WARNING, Status.WARNING),
        (5, [fires(TICKET, 2.9, firing=False)], Status.HEALTHY, Status.HEALTHY),
        (5, [fires(TICKET, 2.6, firing=False)], Status.WARNING, Status.HEALTHY),
    ],
)
def test_status_is_the_worst_that_holds_and_sticks_at_its_edge(
    bad: float, judgements: list[Judgement], before: Status | None, status: Status
) -> None:
    period = Events(10_000 - bad, 10_000)

    assert status_of(period, 0.999, judgements, before) is status


@pytest.mark.parametrize(
    ("bad", "covered", "firing", "status"),
    [
        (40, 0.5, False, Status.EXHAUSTED),  # half a period is enough to judge by
        (40, 0.25, False, Status.EXHAUSTED),  # 4 budgets of a quarter: spent whatever follows
        (39, 0.25, False, Status.NO_DATA),  # not if nothing fails in the rest
        (39, 0.25, True, Status.CRITICAL),
        (9, 0.25, False, Status.HEALTHY),
    ],
)
def test_little_of_a_period_says_that_its_budget_is_spent_only_where_nothing_can_mend_it(
    bad: float, covered: float, firing: bool, status: Status
) -> None:
    judgements = [fires(PAGE, 20, firing=firing)]

    assert status_of(Events(10_000 - bad, 10_000), 0.999, judgements, covered=covered) is status


@pytest.mark.parametrize(
    ("remaining", "burn", "seconds"),
    [
        (1.0, 14.4, 30 * DAY / 14.4),  # 50 h, as the workbook's table says
        (0.5, 1.0, 15 * DAY),
        (0.0, 1.0, 0.0),
        (-2.0, 0.0, 0.0),
        (0.5, 0.0, None),
        (None, 1.0, None),
        (0.5, None, None),
    ],
)
def test_exhaustion_is_projected_at_the_present_burn(
    remaining: float | None, burn: float | None, seconds: float | None
) -> None:
    assert seconds_to_exhaustion(remaining, burn, 30 * DAY) == seconds


counts = st.integers(min_value=0, max_value=10**9)
targets = st.floats(min_value=0.5, max_value=0.99999)


@given(total=st.integers(1, 10**9), bad=counts, more=counts, target=targets)
def test_more_bad_events_never_leave_more_budget(
    total: int, bad: int, more: int, target: float
) -> None:
    few, many = min(bad, total), min(bad + more, total)

    less = budget_remaining(Events(total - few, total), target)
    worse = budget_remaining(Events(total - many, total), target)

    assert less is not None
    assert worse is not None
    assert worse <= less <= 1.0


@given(total=st.integers(1, 10**9), bad=counts, target=targets)
def test_burn_lies_between_none_and_all_bad(total: int, bad: int, target: float) -> None:
    burn = burn_rate(Events(total - min(bad, total), total), target)

    assert burn is not None
    assert 0.0 <= burn <= 1 / (1 - target) * (1 + 1e-9)


@given(parts=st.lists(st.tuples(counts, counts), min_size=1, max_size=30), seconds=st.just(300.0))
def test_parts_add_up_to_the_whole_in_any_order(
    parts: list[tuple[int, int]], seconds: float
) -> None:
    windows = [(Events(min(a, b), max(a, b)), seconds) for a, b in parts]

    forward, backward = added(windows), added(reversed(windows))

    assert (forward.good, forward.total) == (
        sum(min(a, b) for a, b in parts),
        sum(max(a, b) for a, b in parts),
    )
    assert forward == backward


@given(long=st.integers(0, 1000), short=st.integers(0, 1000), before=st.booleans(), target=targets)
def test_a_higher_burn_never_stops_a_policy(
    long: int, short: int, before: bool, target: float
) -> None:
    milder = judge(
        PAGE, windows(Events(1000 - long, 1000), Events(1000 - short, 1000)), target,
        firing_before=before,
    )  # fmt: skip
    worse = judge(
        PAGE, windows(Events((1000 - long) // 2, 1000), Events((1000 - short) // 2, 1000)), target,
        firing_before=before,
    )  # fmt: skip

    assert worse.firing or not milder.firing
