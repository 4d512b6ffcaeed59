from __future__ import annotations

import math

import pytest

from correlation.memory.fingerprint import fingerprint, likeness
from correlation.ranking import rank
from correlation.telemetry import Cause, Evidence, Ranking
from tests.correlation.incidents import ROLES, incident

CAUSE = Cause("payment", "connection_pool_exhaustion", "payment: pool", 0.9, ())


def make_evidence(
    signal: str, service: str = "payment", type: str = "metric", **columns: object
) -> Evidence:
    values: dict[str, object] = {
        "key": f"{type}:{service}:{signal}", "type": type, "service": service, "signal": signal,
        "confidence": 0.9, "onset_at": None, "baseline": None, "value": None, "title": "",
    }  # fmt: skip
    return Evidence(**(values | columns))  # type: ignore[arg-type]


def tokens(*evidence: Evidence, causes: tuple[Cause, ...] = (), roles: dict[str, str] | None = None,
           inconclusive: bool = False) -> list[str]:  # fmt: skip
    ranking = Ranking(causes, evidence, inconclusive)
    return [part.token for part in fingerprint(ranking, roles or {})]


def test_a_metric_is_named_with_its_service_and_with_its_role() -> None:
    found = tokens(make_evidence("error_ratio", "postgres"), roles={"postgres": "database"})

    assert found == ["metric:error_ratio:up:database", "metric:error_ratio:up@postgres"]


def test_an_edge_names_both_ends() -> None:
    found = tokens(make_evidence("client_error_ratio", "cart", peer="redis"))

    assert found == [
        "metric:client_error_ratio:up:service",
        "metric:client_error_ratio:up@cart>redis",
    ]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (
            make_evidence(
                "log_template", type="log", key="log:cart:ab12", details={"change": "new"}
            ),
            ["log:ab12:new"],
        ),
        (
            make_evidence("OOMKilled", type="kubernetes"),
            ["kubernetes:OOMKilled:service", "kubernetes:OOMKilled@payment"],
        ),
        (
            make_evidence("deploy", type="change"),
            ["change:deploy:service", "change:deploy@payment"],
        ),
        (make_evidence("error_ratio", confidence=0.49), []),
    ],
    ids=["log", "state", "change", "faint"],
)
def test_parts_of_other_evidence(item: Evidence, found: list[str]) -> None:
    assert tokens(item) == found


def test_the_first_cause_counts_unless_inconclusive() -> None:
    assert tokens(causes=(CAUSE,)) == [
        "cause:connection_pool_exhaustion:service",
        "cause:connection_pool_exhaustion@payment",
    ]
    assert tokens(causes=(CAUSE,), inconclusive=True) == []


def test_likeness_of_equal_sets_is_one_and_of_disjoint_ones_zero() -> None:
    assert likeness({"a", "b"}, {"b", "a"}, 3, {}).score == pytest.approx(1.0)
    assert likeness({"a"}, {"b"}, 3, {}).score == 0.0
    assert likeness((), (), 3, {}).score == 0.0


def test_likeness_weighs_rare_parts_by_the_stated_formula() -> None:
    having = {"rare": 1, "common": 10, "mine": 2, "theirs": 5}

    found = likeness({"rare", "common", "mine"}, {"rare", "common", "theirs"}, 10, having)

    weight = {token: math.log(1 + 10 / n) for token, n in having.items()}
    whole = sum(weight.values())
    assert found.score == pytest.approx((weight["rare"] + weight["common"]) / whole)
    assert [token for token, _share in found.shared] == ["rare", "common"]
    assert sum(share for _token, share in found.shared) == pytest.approx(found.score)


def test_the_same_fault_is_more_alike_than_another() -> None:
    def of(fault: str, seed: int) -> set[str]:
        return {part.token for part in fingerprint(rank(incident(fault, seed)), ROLES)}

    mine, having = of("pool", 1), dict.fromkeys(of("pool", 1), 2)

    same = likeness(mine, of("pool", 2), 4, having).score
    other = likeness(mine, of("cpu", 2), 4, having).score

    assert (same > 0.6, other < 0.5, same > 2 * other) == (True, True, True)
