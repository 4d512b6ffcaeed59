"""The parts of an explanation, as the page and the API have them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from correlation.explaining.reasoning import Reasoning, in_lines, moment, with_ids
from correlation.ranking import rank
from correlation.telemetry import Cause, Ranking
from tests.correlation.incidents import FAULTS, START, healthy, incident


def reasoning_of(cause: Cause) -> Reasoning:
    assert cause.reasoning is not None
    return cause.reasoning


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_reasoning_is_plain_json_whose_evidence_is_in_the_ranking(fault: str) -> None:
    ranking = rank(incident(fault))

    keys = {item.key for item in ranking.evidence} | {""}
    for cause in ranking.causes:
        reasoning = reasoning_of(cause)
        assert json.loads(json.dumps(reasoning)) == reasoning
        named = [one["evidence"] for one in reasoning["changed"]]
        named += [one["evidence"] for one in reasoning["against"]]
        named += [one["evidence"] for one in reasoning["checks"]]
        assert set(named) - keys == set()


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_explanation_is_the_reasoning_in_lines(fault: str) -> None:
    for cause in rank(incident(fault)).causes:
        assert in_lines(reasoning_of(cause)) == cause.explanation


def test_reasoning_tells_what_changed_by_how_much_against_what() -> None:
    ranking = rank(incident("crash"))

    changed = next(
        one
        for one in reasoning_of(ranking.causes[0])["changed"]
        if one["signal"] == "error_ratio" and one["peer"] is None
    )
    proof = next(item for item in ranking.evidence if item.key == changed["evidence"])
    assert proof.baseline is not None
    assert proof.value is not None
    assert (changed["baseline"], changed["value"]) == (proof.baseline, proof.value)
    assert changed["factor"] == pytest.approx(proof.value / proof.baseline, rel=0.01)
    assert (changed["usual_low"], changed["usual_high"]) == (
        proof.details["baseline_low"],
        proof.details["baseline_high"],
    )
    assert (changed["unit"], changed["query"]) == ("ratio", proof.query)


def test_reasoning_tells_the_onset_with_its_uncertainty() -> None:
    since = reasoning_of(rank(incident("crash")).causes[0])["since"]

    assert since == {
        "at": moment(START + 5.0),
        "uncertainty_seconds": 5.0,
        "text": "08:00:05 UTC, give or take 5 s",
    }


def test_reasoning_names_the_change_with_its_lead_and_evidence() -> None:
    ranking = rank(incident("deploy"))

    change = reasoning_of(ranking.causes[0])["change"]
    assert change is not None
    proof = next(item for item in ranking.evidence if item.key == change["evidence"])
    assert (change["id"], change["kind"], proof.type) == (
        ranking.causes[0].change,
        "deploy",
        "change",
    )
    assert change["seconds_before"] == pytest.approx(15.0, abs=5.0)


def test_comparison_says_why_the_runner_up_lost() -> None:
    first, second = rank(incident("slow_db")).causes[:2]

    ahead, behind = reasoning_of(first)["comparison"], reasoning_of(second)["comparison"]
    assert (ahead["outcome"], ahead["reason"], ahead["service"]) == (
        "ahead",
        "victim",
        second.service,
    )
    assert (behind["outcome"], behind["service"]) == ("behind", first.service)
    assert (ahead["score"], ahead["their_score"]) == (behind["their_score"], behind["score"])


def test_comparison_without_a_rival_says_so() -> None:
    causes = rank(incident("crash")).causes

    comparison = reasoning_of(causes[0])["comparison"]
    assert (len(causes), comparison["outcome"], comparison["service"]) == (1, "alone", "")


def test_checks_begin_with_the_advice_and_point_at_evidence() -> None:
    checks = reasoning_of(rank(incident("deploy")).causes[0])["checks"]

    assert [check["purpose"] for check in checks][:3] == ["act", "change", "confirm"]
    assert checks[0]["text"].startswith("Roll back the deploy of checkout")
    assert checks[1]["text"] == 'Read what the deploy "checkout v2.4.1" changed.'
    assert checks[2]["evidence"] != ""


def test_checks_say_by_what_the_repair_is_known() -> None:
    ranking = rank(incident("crash"))

    (check,) = [c for c in reasoning_of(ranking.causes[0])["checks"] if c["purpose"] == "confirm"]
    proof = next(item for item in ranking.evidence if item.key == check["evidence"])
    assert (proof.service, proof.signal) == ("inventory", "error_ratio")
    assert re.sub(r"[\d.]+ %", "# %", check["text"]) == (
        "Repaired when back in its range: error rate of inventory, at most # %, now # %."
    )


def test_checks_name_a_callee_nothing_is_known_of() -> None:
    seen = incident("code")
    dark = replace(seen, edges=(*seen.edges, ("cart", "vault")))

    checks = reasoning_of(rank(dark).causes[0])["checks"]

    assert [check["text"] for check in checks if check["purpose"] == "blind_spot"] == [
        "Nothing is known of vault, which cart calls: look there."
    ]


def test_evidence_that_began_before_the_cause_is_told_with_its_lead() -> None:
    late = incident("code")
    shifted = tuple(
        replace(
            series,
            values=series.values + 0.5 * (series.times >= START - 40.0),
        )
        if (series.service, series.signal) == ("inventory", "error_ratio")
        else series
        for series in late.series
    )

    ranking = rank(replace(late, series=shifted, window=(START - 60.0, late.window[1])))

    cause = next(cause for cause in ranking.causes if cause.service == "cart")
    texts = [one["text"] for one in reasoning_of(cause)["against"]]
    assert [text for text in texts if "inventory: error rate" in text and "earlier" in text] != []


def test_with_ids_replaces_every_key_and_leaves_none_out() -> None:
    reasoning = reasoning_of(rank(incident("deploy")).causes[0])

    stored = with_ids(reasoning, lambda key: f"id of {key}")

    pairs = zip(reasoning["changed"], stored["changed"], strict=True)
    assert [(one["evidence"], other["evidence"]) for one, other in pairs] == [
        (one["evidence"], f"id of {one['evidence']}") for one in reasoning["changed"]
    ]
    assert [check["evidence"] for check in stored["checks"]] == [
        f"id of {check['evidence']}" if check["evidence"] else "" for check in reasoning["checks"]
    ]


def test_sureness_says_what_the_confidence_means() -> None:
    ranking = rank(incident("crash"))

    assert ranking.sureness is not None
    assert ranking.sureness["cases"] > 0
    assert ranking.sureness["odds"].split(" of ")[1].isdigit()


def purposes(ranking: Ranking) -> list[str]:
    return [check["purpose"] for check in ranking.checks]


def test_checks_of_health_ask_what_the_alert_saw() -> None:
    ranking = rank(healthy())

    assert purposes(ranking) == ["act", "blind_spot"]
    assert "Ask what the alert saw at" in ranking.checks[0]["text"]
    assert ranking.checks[1]["text"].startswith("If it began before 07:58:00 UTC")


def test_checks_of_an_undecided_answer_begin_with_the_two_suspects() -> None:
    ranking = rank(incident("slow_db", seed=1, since=60.0, severity=0.02))

    keys = {item.key for item in ranking.evidence}
    assert ranking.inconclusive is True
    assert purposes(ranking)[:2] == ["compare", "compare"]
    assert {check["evidence"] for check in ranking.checks} - keys - {""} == set()


def test_checks_of_a_decided_answer_stand_with_its_causes() -> None:
    assert rank(incident("crash")).checks == ()
