"""Alertmanager's webhook v4: its body as a list of received alerts.

Each alert counts by its own status, never the group's (a group "fires" while any member
does). See docs/alert-intake.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

DEFAULT_IGNORED_LABELS = ("replica", "prometheus_replica", "__replica__")
NEVER = "0001-01-01"


class Unacceptable(Exception):
    """The body was read but is no Alertmanager webhook; the message names the field."""


@dataclass(frozen=True)
class ReceivedAlert:
    """One alert of a delivery. `starts_at` is the sender's claim; None when it gave none."""

    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    fingerprint: str
    generator_url: str
    starts_at: datetime | None

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "unnamed alert")[:200]


def parse(body: Any) -> list[ReceivedAlert]:
    """The alerts of a webhook body. Raises Unacceptable naming the field that is wrong."""
    if not isinstance(body, dict):
        raise Unacceptable("the body is not a JSON object")
    alerts = body.get("alerts")
    if not isinstance(alerts, list):
        raise Unacceptable("alerts: is not a list")
    return [_alert(item, f"alerts[{position}]") for position, item in enumerate(alerts)]


def _alert(item: Any, where: str) -> ReceivedAlert:
    if not isinstance(item, dict):
        raise Unacceptable(f"{where}: is not an object")
    status = item.get("status")
    if status not in ("firing", "resolved"):
        raise Unacceptable(f"{where}.status: is neither firing nor resolved")
    labels = _texts(item.get("labels"), f"{where}.labels")
    if not labels:
        raise Unacceptable(f"{where}.labels: is empty")
    fingerprint = item.get("fingerprint")
    return ReceivedAlert(
        firing=status == "firing",
        labels=labels,
        annotations=_texts(item.get("annotations") or {}, f"{where}.annotations"),
        fingerprint=_clean(fingerprint)
        if isinstance(fingerprint, str) and fingerprint
        else digest(labels),
        generator_url=_clean(str(item.get("generatorURL") or ""))[:2000],
        starts_at=_time(item.get("startsAt"), f"{where}.startsAt"),
    )


def _texts(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise Unacceptable(f"{where}: is not an object of texts")
    return {_clean(str(key)): _clean(text) for key, text in value.items()}


def _clean(text: str) -> str:
    """Without NUL characters, which PostgreSQL refuses."""
    return text.replace("\x00", "")


def _time(value: Any, where: str) -> datetime | None:
    if value is None or (isinstance(value, str) and value.startswith(NEVER)):
        return None
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Unacceptable(f"{where}: is not an RFC 3339 time")
    return at


def identity(labels: Mapping[str, str], ignored: Iterable[str]) -> str:
    """SHA-256 of the sorted labels less the ignored ones: the series, whichever replica sent it."""
    left_out = set(ignored)
    return digest({name: value for name, value in labels.items() if name not in left_out})


def digest(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()
