from __future__ import annotations

from dataclasses import replace

import pytest

from correlation.evidence import movements
from correlation.metrics.excess import Excess, own_excess
from correlation.ranking import rank
from correlation.telemetry import Telemetry
from tests.correlation.coarse_systems import START, TIMES, make_incident, make_series

VOLUMES = {"shop": 3.0, "cart": 3.0, "store": 3.0, "mail": 3.0}
EDGES = (("shop", "cart"), ("cart", "store"), ("shop", "mail"))
LATENCIES = {
    "shop": (0.2, (0.6, 0.4, 0.2)),
    "cart": (0.1, (0.5, 0.3, 0.1)),
    "store": (0.01, (0.42, 0.22, 0.01)),
    "mail": (0.1, (0.1, 0.1, 0.1)),
}


def blamed(telemetry: Telemetry) -> str:
    own = own_excess(telemetry, movements(telemetry)).own
    return max(own, key=lambda name: own[name])


def test_own_excess_is_what_callees_do_not_add() -> None:
    telemetry = make_incident(LATENCIES, VOLUMES, EDGES)

    found = own_excess(telemetry, movements(telemetry)).own

    assert max(found, key=lambda name: found[name]) == "store"
    assert found["shop"] == pytest.approx(0.0, abs=0.01)
    assert found["mail"] == 0.0


def test_own_excess_lies_with_the_caller_of_a_dependency_never_seen_before() -> None:
    telemetry = make_incident(LATENCIES, VOLUMES, EDGES)
    kept = [one for one in telemetry.series if one.service != "store"]
    late = make_series("store", "latency_mean", 0.01, (0.42, 0.22, 0.01))
    seen = replace(late, times=late.times[-3:], values=late.values[-3:])
    telemetry = replace(telemetry, series=(*kept, seen))

    found = own_excess(telemetry, movements(telemetry)).own

    assert max(found, key=lambda name: found[name]) == "cart"


def test_own_excess_says_nothing_of_fine_steps() -> None:
    telemetry = make_incident(LATENCIES, VOLUMES, EDGES)
    fine = tuple(replace(one, times=START + (one.times - START) / 30.0) for one in telemetry.series)

    found = movements(replace(telemetry, series=fine))

    assert own_excess(replace(telemetry, series=fine), found) == Excess()


def test_own_excess_is_found_without_a_graph() -> None:
    telemetry = make_incident(LATENCIES, VOLUMES)

    assert blamed(telemetry) == "store"


@pytest.mark.parametrize("edge", EDGES)
def test_own_excess_is_found_with_any_edge_missing(edge: tuple[str, str]) -> None:
    telemetry = make_incident(LATENCIES, VOLUMES, [one for one in EDGES if one != edge])

    assert blamed(telemetry) == "store"


def test_own_excess_is_found_without_request_counts() -> None:
    telemetry = make_incident(LATENCIES, {}, EDGES)

    assert blamed(telemetry) == "store"


def test_own_excess_stays_with_the_affected_service_when_nobody_covers_it() -> None:
    calm = {name: (usual, (usual,) * 3) for name, (usual, _) in LATENCIES.items()}
    telemetry = make_incident(calm | {"shop": LATENCIES["shop"]}, VOLUMES)

    assert blamed(telemetry) == "shop"


def test_a_service_out_of_reach_is_akin_when_it_covers_the_affected_one() -> None:
    telemetry = make_incident(LATENCIES, VOLUMES, (("shop", "mail"), ("cart", "store")))

    assert own_excess(telemetry, movements(telemetry)).akin >= {"cart", "store"}
    assert rank(telemetry).causes[0].service == "store"


def test_own_excess_counts_for_less_when_the_affected_service_is_calm() -> None:
    felt = make_incident(LATENCIES, VOLUMES, EDGES)
    calm = make_incident(LATENCIES | {"shop": (0.2, (0.2,) * 3)}, VOLUMES, EDGES)

    shown, quiet = (own_excess(one, movements(one)).own["store"] for one in (felt, calm))

    assert quiet < 0.5 * shown


def test_a_healthy_window_names_nobody() -> None:
    healthy = {name: (usual, (usual * 1.02,) * 3) for name, (usual, _) in LATENCIES.items()}

    assert rank(make_incident(healthy, VOLUMES, EDGES)).causes == ()


def test_own_excess_is_the_same_in_any_order_of_series() -> None:
    telemetry = make_incident(LATENCIES, VOLUMES)
    turned = replace(telemetry, series=telemetry.series[::-1], edges=telemetry.edges[::-1])

    assert rank(turned) == rank(telemetry)
    assert TIMES[-1] > START
