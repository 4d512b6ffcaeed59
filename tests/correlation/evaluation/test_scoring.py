from __future__ import annotations

from typing import Any

from correlation.evaluation.scoring import WORST, Outcome, figures, worst_rank


def make_outcome(**changes: Any) -> Outcome:
    given: dict[str, Any] = {
        "case": "a/1", "system": "a", "fault_type": "cpu", "truth": "shop",
        "ranked": (("shop", 0.9), ("cart", 0.1)), "confidence": 0.9, "status": "done",
    }  # fmt: skip
    return Outcome(**(given | changes))


def test_worst_rank_puts_the_truth_behind_everything_with_its_score() -> None:
    ranked = (("a", 0.5), ("b", 0.5), ("c", 0.1))

    assert [worst_rank(ranked, name) for name in ("a", "b", "c", "d")] == [2, 2, 3, WORST]


def test_figures_count_cases_and_healthy_windows_apart() -> None:
    outcomes = [
        make_outcome(),
        make_outcome(case="a/2", truth="cart"),
        make_outcome(case="a/3", truth="gone", status="inconclusive"),
        make_outcome(case="a/4", truth=None, status="inconclusive"),
    ]

    found = figures(outcomes)

    assert (found["n"], found["ac1"], found["ac3"], found["coverage"]) == (
        3, 0.3333, 0.6667, 0.6667,
    )  # fmt: skip
    assert (found["avg5"], found["healthy_silent"]) == (0.6, 1.0)
    assert found["change_accuracy"] is None


def test_figures_take_none_for_an_answer_about_changes() -> None:
    outcomes = [
        make_outcome(true_change="c1", change="c1"),
        make_outcome(true_change="none", change="none"),
        make_outcome(true_change="none", change="c2"),
        make_outcome(true_change="c1", change="none"),
    ]

    found = figures(outcomes)

    assert (found["change_accuracy"], found["innocent_blamed"]) == (0.5, 0.25)


def test_figures_are_the_same_every_time() -> None:
    outcomes = [make_outcome(case=f"a/{n}", confidence=n / 10) for n in range(10)]

    assert figures(outcomes) == figures(outcomes)
