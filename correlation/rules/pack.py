"""The rules that come with the product, and what a set of rules is known by. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from correlation.rules.documents import BadRule, parse_pack, parse_rule
from correlation.rules.matching import Rule


@lru_cache(maxsize=1)
def shipped_rules() -> tuple[Rule, ...]:
    """The rule pack that comes with the product, in its order."""
    text = files("correlation").joinpath("rulepacks/causes.yaml").read_text(encoding="utf-8")
    return parse_pack(yaml.safe_load(text))


def document_of(rules: Iterable[Rule]) -> dict[str, Any]:
    """Plain JSON values that `rules_of` reads back into equal rules in the same order."""
    return {
        "rules": [
            {
                "name": rule.name,
                "priority": rule.priority,
                "shipped": rule.shipped,
                "definition": dict(rule.document),
            }
            for rule in rules
        ]
    }


def rules_of(document: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Rules from `document_of`; raises BadRule for what is not understood (any more)."""
    try:
        return tuple(
            parse_rule(one["definition"], one["name"], one["priority"], shipped=one["shipped"])
            for one in document["rules"]
        )
    except (KeyError, TypeError) as error:
        raise BadRule({"rules": [f"They were written in another form: {error!r}."]}) from error


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document, 64 hexadecimal digits: equal for equal rules in the same order."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
