from __future__ import annotations

import numpy as np
import pytest

from correlation.metrics.flows import Flow
from correlation.metrics.hidden_callees import SharedOut, ancestors, hidden_shares
from correlation.telemetry import Telemetry


def make_flow(*excess: float, usual: float = 1.0, noise: float = 0.01) -> Flow:
    return Flow(np.array(excess), noise, usual, 1.0)


def make_kind(flows: dict[str, Flow], free: dict[str, Flow] | None = None) -> SharedOut:
    return SharedOut(
        flows,
        {name: flow.added for name, flow in flows.items()},
        {name: flow.added for name, flow in (free or flows).items()},
    )


def make_telemetry(*edges: tuple[str, str], target: str | None = "shop") -> Telemetry:
    return Telemetry(target, 0.0, 900.0, (-900.0, 0.0), (0.0, 900.0), edges=edges)


def test_the_affected_service_is_explained_by_who_covers_it() -> None:
    flows = {"shop": make_flow(1.0, 2.0), "store": make_flow(1.1, 2.1), "mail": make_flow(0.0, 0.5)}

    (share,) = hidden_shares(make_telemetry(), [make_kind(flows)])

    assert share["shop"] == pytest.approx(1.0, abs=0.01)
    assert share["store"] < 0.1  # nobody covers it but who is on top


def test_of_two_alike_the_larger_is_the_callee() -> None:
    flows = {"shop": make_flow(1.0, 2.0), "cart": make_flow(1.0, 2.0), "store": make_flow(1.4, 2.4)}

    (share,) = hidden_shares(make_telemetry(), [make_kind(flows)])

    assert share["cart"] > 0.9
    assert share["store"] < 0.1


def test_of_two_equals_the_one_with_much_more_usual_time_calls() -> None:
    flows = {
        "shop": make_flow(1.0, 2.0),
        "cart": make_flow(1.0, 2.0, usual=10.0, noise=0.1),
        "store": make_flow(1.0, 2.0),
    }

    (share,) = hidden_shares(make_telemetry(), [make_kind(flows)])

    assert share["cart"] > 0.8
    assert share["store"] < 0.2


def test_who_calls_a_service_does_not_explain_it() -> None:
    flows = {"shop": make_flow(0.0, 0.0), "cart": make_flow(2.0, 2.0), "store": make_flow(1.0, 1.0)}

    (share,) = hidden_shares(make_telemetry(("cart", "store")), [make_kind(flows)])

    assert share["store"] == 0.0


def test_an_excess_that_known_callers_show_explains_nobody_else() -> None:
    flows = {"shop": make_flow(0.0, 0.0), "cart": make_flow(1.0, 1.0), "store": make_flow(1.0, 1.0)}
    free = flows | {"store": make_flow(0.0, 0.0)}

    (share,) = hidden_shares(make_telemetry(), [make_kind(flows, free)])

    assert share["cart"] == 0.0
    assert share["store"] == pytest.approx(1.0, abs=0.01)


def test_another_course_explains_little() -> None:
    flows = {"shop": make_flow(2.0, 0.0), "store": make_flow(0.0, 3.0)}

    (share,) = hidden_shares(make_telemetry(), [make_kind(flows)])

    assert share == {"shop": 0.0, "store": 0.0}


def test_order_seen_in_one_kind_holds_for_the_other() -> None:
    failures = {
        "shop": make_flow(1.0, 2.0, usual=0.0),
        "cart": make_flow(1.0, 2.0, usual=0.0),
        "store": make_flow(1.0, 2.0, usual=0.0),
    }
    seconds = {"cart": make_flow(1.0, 2.0), "store": make_flow(1.5, 2.5)}

    share, _ = hidden_shares(make_telemetry(), [make_kind(failures), make_kind(seconds)])

    assert share["cart"] > 0.9
    assert share["store"] < 0.1


def test_ancestors_are_callers_of_callers() -> None:
    found = ancestors((("shop", "cart"), ("cart", "store"), ("store", "cart")))

    assert found == {"cart": {"shop", "store", "cart"}, "store": {"shop", "cart", "store"}}


def test_nothing_beyond_noise_explains_nothing() -> None:
    flows = {"shop": make_flow(0.001, 0.0), "store": make_flow(0.002, 0.0)}

    (share,) = hidden_shares(make_telemetry(target=None), [make_kind(flows)])

    assert share == {"shop": 0.0, "store": 0.0}


def test_of_two_parts_of_the_graph_that_could_call_each_other_none_is_cleared_alone() -> None:
    one = make_flow(1.0, 2.0)
    flows = {"shop": make_flow(0.0, 0.0), "desk": one, "cart": one, "mail": one, "store": one}
    free = flows | {"cart": make_flow(0.0, 0.0), "store": make_flow(0.0, 0.0)}

    (share,) = hidden_shares(
        make_telemetry(("desk", "cart"), ("mail", "store")), [make_kind(flows, free)]
    )

    assert share["cart"] == pytest.approx(0.5, abs=0.01)
    assert share["store"] == pytest.approx(0.5, abs=0.01)
