from __future__ import annotations

from typing import Any

import pytest

from correlation.explaining.evidence_facts import facts, set_apart


def test_cluster_evidence_names_pod_reason_exit_code_and_node() -> None:
    details = {
        "namespace": "shop",
        "pod": "api-1",
        "pods": "api-1",
        "container": "api",
        "exit_code": "137",
        "node": "n1",
        "workload": "api",
        "message": "back-off 40s",
    }

    assert facts("kubernetes", "OOMKilled", 3.0, details) == [
        ("Reason", "OOMKilled"),
        ("Namespace", "shop"),
        ("Workload", "api"),
        ("Pod", "api-1"),
        ("Container", "api"),
        ("Node", "n1"),
        ("Exit code", "137"),
        ("Count", "3 times"),
        ("Message", "back-off 40s"),
    ]


def test_several_pods_are_all_named() -> None:
    found = facts("kubernetes", "NotReady", 1.0, {"pod": "a-1", "pods": "a-1, a-2"})

    assert found == [("Reason", "NotReady"), ("Pods", "a-1, a-2")]


def test_failed_traces_say_where_and_how_many() -> None:
    details = {"operation": "POST /pay", "share": 0.75, "n": 9, "failed_traces": 12}

    assert facts("trace", "trace_errors", 0.1, details) == [
        ("Operation", "POST /pay"),
        ("Share", "9 of 12 failed traces (75 %)"),
    ]


def test_slow_traces_say_how_much_of_the_time_goes_there() -> None:
    details = {"operation": "SELECT", "share": 0.6, "n": 8, "compared_with": 5}

    assert facts("trace", "trace_slow", 2.0, details) == [
        ("Operation", "SELECT"),
        ("Share", "60 % of the time that slow traces lose"),
        ("Traces", "8 slow, 5 usual"),
    ]


def test_change_says_how_long_before_the_trouble_it_was_recorded() -> None:
    assert facts("change", "feature_flag", None, {"seconds_before_onset": 90.0}) == [
        ("Kind", "feature flag"),
        ("Recorded", "90 s before the trouble began"),
    ]
    assert facts("change", "deploy", None, {"seconds_before_onset": -25.0})[1] == (
        "Recorded",
        "25 s after the trouble began",
    )
    assert facts("change", "deploy", None, {"seconds_before_onset": -2.2})[1] == (
        "Recorded",
        "about when the trouble began",
    )


def test_attributes_that_set_the_failed_apart_are_told_with_their_shares() -> None:
    rows = [{"attribute": "service.version", "value": "2.4.1", "failed": 0.95, "others": 0.0}]

    assert set_apart({"apart": rows}) == [
        "service.version = 2.4.1: 95 % of the failed, 0 % of the others"
    ]


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"share": "many", "n": "9", "failed_traces": None, "operation": None},
        {"apart": "version", "seconds_before_onset": "soon", "pod": ["a"], "pods": {"a": 1}},
        {"apart": [None, 3, {"attribute": "version"}], "exit_code": True, "message": {}},
    ],
    ids=["empty", "words", "shapes", "lists"],
)
def test_details_of_another_shape_are_left_out(details: dict[str, Any]) -> None:
    for type in ("metric", "log", "trace", "kubernetes", "change"):
        for _label, text in facts(type, "x", None, details):
            assert text in ("x", "a")

    assert set_apart(details) == []
