from __future__ import annotations

import json

from correlation.rules import parse_rules, shipped_rules
from correlation.rules_in_force import digest_of, document_of


def test_document_reads_back_as_the_same_rules() -> None:
    document = json.loads(json.dumps(document_of(shipped_rules())))

    assert parse_rules(document) == shipped_rules()
    assert digest_of(document) == digest_of(document_of(shipped_rules()))


def test_digest_tells_another_weight() -> None:
    document = json.loads(json.dumps(document_of(shipped_rules())))
    document["rules"][0]["any"][0]["weight"] = 0.123

    assert digest_of(document) != digest_of(document_of(shipped_rules()))
