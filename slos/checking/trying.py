"""Try an SLO on its last hour; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from slos.checking.judging import trial, verdict
from slos.checking.looking import look
from slos.definition import Wrong
from slos.keeping import Refused, candidate
from slos.models import SLO
from slos.stored import policy_json


def try_out(columns: Mapping[str, Any]) -> dict[str, Any]:
    """`judging.trial` with `errors`, `no_data` (by field) and `warnings`.

    Raises Refused for what is no SLO; policies that could never fire are told in the answer.
    """
    policies = columns.get("policies")
    row = candidate({name: v for name, v in columns.items() if name != "policies"})
    errors: dict[str, str] = {}
    if policies is not None:
        whole = SLO(**columns)
        try:
            row.policies = [policy_json(one) for one in whole.definition().policies]
        except Wrong as wrong:
            raise Refused({wrong.field: [wrong.why]}) from None
        try:
            whole.definition().check()
        except Wrong as wrong:
            errors[wrong.field] = wrong.why
    slo = row.definition()
    looked = look([row], time.time())[row.pk]
    found = verdict(slo, looked)
    return {
        "ok": not (errors or found.errors or found.no_data),
        "errors": {**errors, **found.errors},
        "no_data": found.no_data,
        "warnings": list(found.warnings),
        **trial(slo, looked),
    }
