"""The rules a ranking used, as the document that `rules.parse_rules` reads. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from correlation.rules import Condition, Rule


def document_of(rules: Sequence[Rule]) -> dict[str, Any]:
    """`parse_rules(document_of(rules))` gives the same rules."""
    return {"rules": [_rule(rule) for rule in rules]}


def digest_of(document: dict[str, Any]) -> str:
    """SHA-256 of the document, 64 hexadecimal digits: equal for rules that conclude the same."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _rule(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for field in fields(rule):
        value = getattr(rule, field.name)
        if isinstance(value, tuple):
            value = [_condition(item) if isinstance(item, Condition) else item for item in value]
        told[field.name] = value
    return told


def _condition(condition: Condition) -> dict[str, Any]:
    told: dict[str, Any] = {condition.kind: condition.name}
    for field in fields(condition):
        value = getattr(condition, field.name)
        if field.name in ("kind", "name") or value is None or isinstance(value, re.Pattern):
            continue
        told[field.name] = _condition(value) if isinstance(value, Condition) else value
    return told
