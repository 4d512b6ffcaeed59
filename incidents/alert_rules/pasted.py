"""An alert as people paste it: JSON from a webhook or from Alertmanager, or its labels. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incidents.intake.matchers import BadMatcher, parse_matcher

MOST_CHARACTERS = 50_000


class NotAnAlert(ValueError):
    """A text that is no alert, in words for its author."""


@dataclass(frozen=True)
class Pasted:
    """`status` is None where the text says nothing of it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None


def parse_pasted(text: str) -> Pasted:
    """A webhook (its first alert counts), an alert, an object of labels, `{a="b", c="d"}`, or
    lines `a=b`. Raises NotAnAlert."""
    text = text.strip()
    if not text:
        raise NotAnAlert("Paste an alert, or its labels.")
    try:
        body = json.loads(text)
    except ValueError as error:
        if text.startswith(("{\n", '{"', "[")) and "=" not in text.partition(":")[0]:
            raise NotAnAlert(f"This is no JSON: {error}.") from error
        return Pasted(_labels_of_lines(text))
    return _of_json(body)


def _of_json(body: Any) -> Pasted:
    if isinstance(body, list):
        body = {"alerts": body}
    if isinstance(body, dict) and isinstance(body.get("alerts"), list):
        if not body["alerts"]:
            raise NotAnAlert("There is no alert in `alerts`.")
        body = body["alerts"][0]
    if not isinstance(body, dict):
        raise NotAnAlert("This JSON is no alert: it is not an object.")
    if isinstance(body.get("labels"), dict):
        status = body.get("status")
        return Pasted(
            _texts(body["labels"], "labels"),
            _texts(body.get("annotations") or {}, "annotations"),
            status if status in ("firing", "resolved") else None,
        )
    return Pasted(_texts(body, "labels"))


def _texts(given: Any, name: str) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise NotAnAlert(f"{name}: write an object of texts.")
    return {key: value.replace("\x00", "") for key, value in given.items()}


def _labels_of_lines(text: str) -> dict[str, str]:
    """`a=b` lines, or what Prometheus prints: `name{a="b",c="d"}`."""
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].replace('",', '"\n')
    labels: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            matcher = parse_matcher(line.strip().rstrip(","))
        except BadMatcher as error:
            raise NotAnAlert(str(error)) from error
        if matcher.operator != "=":
            raise NotAnAlert(f"{line.strip()[:80]!r}: a label has one value; write label=value.")
        labels[matcher.name] = matcher.value
    return labels
