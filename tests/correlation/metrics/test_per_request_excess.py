from __future__ import annotations

import numpy as np
import pytest

from correlation.metrics.flows import Flow
from correlation.metrics.per_request_excess import follows, own_rises
from correlation.telemetry import Telemetry


def make_flow(*excess: float, usual: float = 1.0) -> Flow:
    return Flow(np.array(excess), 0.01, usual, 1.0)


def make_telemetry(*edges: tuple[str, str]) -> Telemetry:
    return Telemetry("shop", 0.0, 900.0, (-900.0, 0.0), (0.0, 900.0), edges=edges)


def test_follows_is_whole_for_one_course_at_any_number_of_calls() -> None:
    assert follows(make_flow(0.5, 1.0), make_flow(2.0, 4.0)) == pytest.approx(1.0)


def test_follows_holds_the_calls_to_what_fits_in_the_usual_time() -> None:
    caller, callee = make_flow(4.0, 8.0, usual=1.0), make_flow(1.0, 2.0, usual=0.5)

    assert follows(caller, callee) == pytest.approx(0.5)


def test_follows_is_little_for_another_course() -> None:
    assert follows(make_flow(1.0, 0.0), make_flow(0.0, 1.0)) == 0.0


def test_own_rises_go_to_the_deepest_of_one_course() -> None:
    flows = {
        "shop": make_flow(0.5, 1.0),
        "cart": make_flow(1.0, 2.0),
        "store": make_flow(2.0, 4.0),
        "mail": make_flow(5.0, 0.1),  # large, but nothing like what the shop shows
    }
    edges = (("shop", "cart"), ("cart", "store"), ("shop", "mail"))

    own = own_rises(make_telemetry(*edges), flows, felt=1.0)

    assert max(own, key=lambda name: own[name]) == "store"
    assert own["mail"] < 0.5 * own["store"]
    assert own["shop"] < 0.1


def test_of_two_alike_the_one_that_accounts_for_more_callers_is_to_blame() -> None:
    flows = {
        "shop": make_flow(0.5, 1.0),
        "cart": make_flow(1.0, 2.0),
        "view": make_flow(1.0, 2.0),
        "desk": make_flow(0.3, 0.6),
    }
    edges = (("shop", "cart"), ("shop", "view"), ("desk", "cart"))

    own = own_rises(make_telemetry(*edges), flows, felt=1.0)

    assert own["cart"] > own["view"]


def test_without_a_graph_the_affected_service_is_on_top() -> None:
    flows = {"shop": make_flow(0.5, 1.0), "store": make_flow(2.0, 4.0)}

    own = own_rises(make_telemetry(), flows, felt=1.0)

    assert own["store"] > 0.9
    assert own["shop"] < 0.1
