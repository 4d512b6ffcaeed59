"""Alerts as people paste them, by tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from incidents.alert_rules.pasted import NotAnAlert, Pasted, parse_pasted

CONTRACTS = Path(__file__).parents[2] / "contracts" / "alertmanager"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("alertname=A\nservice = checkout\n", {"alertname": "A", "service": "checkout"}),
        ('summary="a=b, c"', {"summary": "a=b, c"}),
        ('{alertname="A",service="b"}', {"alertname": "A", "service": "b"}),
        ('{"alertname": "A"}', {"alertname": "A"}),
    ],
)
def test_labels_alone(text: str, labels: dict[str, str]) -> None:
    assert parse_pasted(text) == Pasted(labels)


def test_an_alert_with_annotations_and_status() -> None:
    alert = {"labels": {"a": "b"}, "annotations": {"summary": "x"}, "status": "resolved"}

    found = [parse_pasted(json.dumps(body)) for body in (alert, [alert], {"alerts": [alert]})]

    assert found == [Pasted({"a": "b"}, {"summary": "x"}, "resolved")] * 3


def test_an_answer_of_alertmanagers_api_says_no_status() -> None:
    body = {"labels": {"a": "b"}, "annotations": {}, "status": {"state": "active"}}

    assert parse_pasted(json.dumps(body)).status is None


def test_a_recorded_webhook_is_read() -> None:
    recorded = json.loads((CONTRACTS / "webhook_mixed.json").read_text())["request"]["body"]

    found = parse_pasted(json.dumps(recorded))

    assert found.labels == recorded["alerts"][0]["labels"]
    assert found.status == recorded["alerts"][0]["status"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("  ", "Paste an alert"),
        ("nonsense", "no matcher"),
        ("a=~b", "one value"),
        ('{"a": 1}', "object of texts"),
        ('{"a": "b"', "no JSON"),
        ('{"alerts": []}', "no alert"),
        ("7", "not an object"),
    ],
)
def test_what_is_no_alert_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(NotAnAlert, match=why):
        parse_pasted(text)
