from __future__ import annotations

import pytest

from correlation.explaining.sureness import held_back, odds_in_words


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.99, "99 of 100"),
        (0.97, "49 of 50"),
        (0.95, "19 of 20"),
        (0.93, "9 of 10"),
        (0.76, "8 of 10"),
        (0.5, "5 of 10"),
        (0.07, "1 of 10"),
        (0.02, "fewer than 1 of 20"),
        (0.0, "fewer than 1 of 20"),
    ],
)
def test_odds_are_round_and_never_certain(confidence: float, expected: str) -> None:
    assert odds_in_words(confidence) == expected


def test_nothing_holds_back_a_clear_answer() -> None:
    assert held_back({"margin": 0.6, "coverage": 1.0}, "payment", True) == []


def test_held_back_names_the_rival_the_metrics_and_the_gaps() -> None:
    said = held_back({"margin": 0.05, "coverage": 0.5}, "payment", False)

    assert said == [
        "payment is close behind",
        "the metrics have not confirmed it yet",
        "much of the evidence could not be had",
    ]


def test_a_lone_faint_suspect_has_no_rival_to_name() -> None:
    assert held_back({"margin": 0.05, "coverage": 0.67}, "", True) == [
        "part of the evidence could not be had"
    ]
