"""What the indicator and the policies look like, for the schema."""

from __future__ import annotations

from typing import Any

from slos.burn import Quality, Status

STATUSES = [(one.value, one.value) for one in Status]
QUALITIES = [(one.value, one.value) for one in Quality]
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _kind(name: str, **properties: Any) -> dict[str, Any]:
    return _object(kind={"type": "string", "enum": [name]}, **properties)


INDICATOR = {
    "oneOf": [
        {
            **_object(
                kind={"type": "string", "enum": ["ratio"]}, total=_TEXT, good=_TEXT, bad=_TEXT
            ),
            "required": ["kind", "total"],
        },
        {
            **_object(
                kind={"type": "string", "enum": ["latency"]}, histogram=_TEXT, seconds=_NUMBER
            ),
            "required": ["kind", "histogram", "seconds"],
        },
        {
            **_kind(
                "threshold",
                query=_TEXT,
                op={"type": "string", "enum": ["lt", "lte", "gt", "gte"]},
                value=_NUMBER,
            ),
            "required": ["kind", "query", "op", "value"],
        },
    ]
}
_POLICY = {
    "severity": {"type": "string", "enum": ["page", "ticket"]},
    "long_seconds": _NUMBER,
    "short_seconds": _NUMBER,
    "factor": _NUMBER,
}
POLICIES = {
    "type": "array",
    "items": {**_object(**_POLICY), "required": list(_POLICY)},
}
_MAYBE = {"type": ["number", "null"]}
JUDGEMENTS = {
    "type": "array",
    "items": _object(
        **_POLICY,
        firing={"type": "boolean"},
        long_burn=_MAYBE,
        short_burn=_MAYBE,
        held_back=_TEXT,
    ),
}
BURN_RATES = {"type": "object", "additionalProperties": _MAYBE}
LABELS = {"type": "object", "additionalProperties": _TEXT}
