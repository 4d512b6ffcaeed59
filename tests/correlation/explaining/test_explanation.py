"""The lines under a cause: what changed, since when, what is against it, what to do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from correlation.ranking import rank
from correlation.telemetry import Cause, Change
from tests.correlation.incidents import FAULTS, START, healthy, incident


def labels(cause: Cause) -> list[str]:
    """The labels of the lines, a repeated one told once."""
    return list(dict.fromkeys(line.split(": ")[0] for line in cause.explanation.splitlines()))


def line_of(cause: Cause, label: str) -> str:
    found = [line for line in cause.explanation.splitlines() if line.startswith(f"{label}: ")]
    return found[0]


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"network"}))
def test_explanation_is_short_labelled_lines_in_one_order(fault: str) -> None:
    cause = rank(incident(fault)).causes[0]

    order = ["Changed", "Since", "Change", "Against", "Runner-up", "Rule", "Check next"]
    assert labels(cause) == order
    assert max(len(line) for line in cause.explanation.splitlines()) <= 180


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_explanation_tells_no_impossible_values(fault: str) -> None:
    texts = [cause.explanation for cause in rank(incident(fault, seed=3)).causes]

    assert [found for text in texts for found in re.findall(r" -[\d.]+", text)] == []


def test_explanation_tells_values_and_onset() -> None:
    cause = rank(incident("crash")).causes[0]

    assert re.sub(r"[\d.]+", "#", line_of(cause, "Changed")) == (
        "Changed: error rate rose from # % to # % (usually # % to # %)"
    )
    assert line_of(cause, "Since") == "Since: 08:00:05 UTC, give or take 5 s"


def test_explanation_names_a_change_by_its_title_and_time() -> None:
    cause = rank(incident("deploy")).causes[0]

    assert line_of(cause, "Change") == (
        'Change: deploy "checkout v2.4.1" at 07:59:45 UTC, 16 s before the trouble'
    )


def test_explanation_says_why_no_change_is_to_blame() -> None:
    cause = rank(incident("pool")).causes[0]

    assert cause.change is None
    assert line_of(cause, "Change") == (
        'Change: none to blame, 2 changes looked at: the likeliest, deploy "v7", '
        "fits too little to be blamed"
    )


def test_explanation_has_no_change_line_where_none_was_recorded() -> None:
    cause = rank(replace(incident("pool"), changes=())).causes[0]

    assert "Change" not in labels(cause)


def test_explanation_keeps_ids_out_even_without_a_title() -> None:
    untitled = Change("51c29c0e-9d8e-4a3f", "checkout", "deploy", START - 15.0, "")

    cause = rank(replace(incident("deploy"), changes=(untitled,))).causes[0]

    assert cause.change == untitled.id
    assert line_of(cause, "Change").startswith("Change: deploy of checkout at 07:59:45 UTC")
    assert "51c29c0e" not in cause.explanation


def test_explanation_says_why_the_runner_up_lost() -> None:
    first, second = rank(incident("slow_db")).causes[:2]

    assert re.sub(r"\d\.\d\d", "#", line_of(first, "Runner-up")) == (
        f"Runner-up: {second.service} is a likely victim of postgres, which it calls "
        "(it weighs # against #)"
    )
    assert re.sub(r"\d\.\d\d", "#", line_of(second, "Ranked below")) == (
        "Ranked below: postgres, whose own evidence weighs # against #"
    )


def test_explanation_says_what_a_cause_leaves_unexplained() -> None:
    first, second = rank(incident("slow_db")).causes[:2]

    assert line_of(first, "Against") == "Against: no strong signal is left unexplained"
    assert line_of(second, "Against") == (
        f"Against: part of it comes from postgres, which {second.service} calls"
    )


def test_missing_evidence_of_an_undecided_answer_names_who_cannot_be_told_apart() -> None:
    """Three callers of a slightly slow database suffer alike; every source answered."""
    found = rank(incident("slow_db", seed=1, since=60.0, severity=0.02))

    assert found.inconclusive is True
    assert [re.sub(r"\d\.\d\d", "#", text) for text in found.missing] == [
        f"nothing that tells {found.causes[0].service} from {found.causes[1].service}: "
        "their own evidence weighs # and #"
    ]


def test_missing_evidence_of_health_says_that_nothing_moved() -> None:
    assert rank(healthy()).missing == ("no signal left its usual range",)
