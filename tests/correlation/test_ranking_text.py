from __future__ import annotations

from dataclasses import replace

from correlation.ranking import rank
from correlation.ranking_text import ABSENT, canonical, differences, digest
from correlation.telemetry import Cause, Ranking
from tests.correlation.incidents import incident

CAUSE = Cause("cart", "oom_kill", "cart: killed", 0.9, ("metric:cart:oom_kills",))
RANKING = Ranking((CAUSE,), (), False)


def test_canonical_is_the_same_for_the_same_telemetry() -> None:
    first, second = rank(incident("pool", seed=2)), rank(incident("pool", seed=2))

    assert canonical(first) == canonical(second)


def test_digest_tells_the_last_bit_of_a_confidence() -> None:
    nudged = replace(RANKING, causes=(replace(CAUSE, confidence=0.9 + 2**-53),))

    assert digest(canonical(nudged)) != digest(canonical(RANKING))


def test_differences_name_the_path_and_both_values() -> None:
    other = replace(CAUSE, confidence=0.8, supporting=())
    second = Cause("redis", "slow_dependency", "redis is slow", 0.1, ())
    now = replace(RANKING, causes=(other, second), inconclusive=True)

    found = differences(canonical(RANKING), canonical(now))

    assert [path for path, _then, _now in found] == [
        "causes[0].confidence",
        "causes[0].supporting[0]",
        "causes[1]",
        "inconclusive",
    ]
    assert found[0] == ("causes[0].confidence", 0.9, 0.8)
    assert found[1] == ("causes[0].supporting[0]", "metric:cart:oom_kills", ABSENT)


def test_differences_of_equal_answers_are_none() -> None:
    assert differences(canonical(RANKING), canonical(RANKING)) == []
