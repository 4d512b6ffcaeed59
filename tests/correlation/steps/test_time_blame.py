"""Who answers for lost time."""

from __future__ import annotations

import numpy as np
import pytest

from correlation.steps.time_blame import losses, time_blame
from correlation.steps.times import Pace, Ways


def make_pace(*ways: tuple[str, str, float, float, float]) -> Pace:
    """(service, peer, z, seconds before, seconds now) of each way, of 100 requests a side."""
    z, before, now = (np.array([way[n] for way in ways]) for n in (2, 3, 4))
    hundred = np.full(len(ways), 100)
    keys = [((service, "serve"), peer) for service, peer, *_ in ways]
    return Pace(Ways.of(keys), np.arange(len(ways)), z, before, now, hundred, hundred)


def test_service_answers_for_its_share_of_the_time_lost() -> None:
    found = time_blame(make_pace(("cart", "", 9.0, 0.1, 1.1), ("shop", "", 9.0, 0.1, 0.35)))

    assert list(found) == ["cart", "shop"]
    assert found["cart"] == pytest.approx(0.8**0.7, abs=0.05)
    assert found["shop"] == pytest.approx(0.75 * 0.2**0.7, abs=0.05)


def test_callee_that_all_its_callers_see_slow_answers_for_the_way() -> None:
    found = time_blame(
        make_pace(
            ("gate", "cart", 9.0, 0.1, 1.0),
            ("shop", "cart", 9.0, 0.1, 1.0),
            ("gate", "till", 0.0, 0.1, 0.1),
            ("shop", "till", 0.0, 0.1, 0.1),
        )
    )

    assert found["cart"] > 1.5 * found["gate"] == 1.5 * found["shop"]
    assert found["till"] == 0.0


def test_time_that_shrank_is_not_lost() -> None:
    pace = make_pace(("cart", "", -9.0, 1.0, 0.1))

    assert losses(pace).total == 0.0
    assert time_blame(pace) == {}


def test_nothing_compared_is_nobody_to_blame() -> None:
    assert time_blame(make_pace()) == {}
