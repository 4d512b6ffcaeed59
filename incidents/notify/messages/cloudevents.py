"""CloudEvents 1.0 in structured JSON, and the signature that goes with them; no I/O.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from incidents.notify.messages.message import Facts, Message, incidents_of, title_of

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TYPE = "com.reliability-studio.incident"
TIMESTAMP_HEADER = "X-Studio-Timestamp"
SIGNATURE_HEADER = "X-Studio-Signature"


def body(message: Message) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": message.key,
        "source": f"{message.site}/incidents",
        "datacontenttype": "application/json",
    }
    if message.is_digest:
        return {
            **envelope,
            "type": f"{TYPE}.digest",
            "time": max(told.facts["at"] for told in message.changes),
            "data": {
                "summary": title_of(message),
                "incidents": incidents_of(message),
                "changes": [
                    {"id": told.key, **_data(told.facts, message)} for told in message.changes
                ],
            },
        }
    facts = message.facts
    return {
        **envelope,
        "type": f"{TYPE}.{facts['event']}",
        "subject": facts["reference"],
        "time": facts["at"],
        "data": {"summary": title_of(message), **_data(facts, message)},
    }


def _data(facts: Facts, message: Message) -> dict[str, Any]:
    shown = {name: value for name, value in facts.items() if name != "path"}
    return {**shown, "url": message.link(facts)}


def signature(secret: str, timestamp: int, content: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of "timestamp.body", keyed with the secret's bytes."""
    signed = f"{timestamp}.".encode() + content
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
