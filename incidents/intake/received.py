"""An alert as any format delivers it, and the readers that the formats share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

DEFAULT_IGNORED_LABELS = ("replica", "prometheus_replica", "__replica__")
UNNAMED = "unnamed alert"
LONGEST_NAME = 200
LONGEST_ADDRESS = 2000
YEARS = range(1970, 2200)
"""A year outside is no claim about when something began: 0001 is Go's empty time."""


class Unacceptable(Exception):
    """What was read is not what the format asks for; the message names the field."""


@dataclass(frozen=True)
class ReceivedAlert:
    """One alert of a delivery; times are the sender's claims, None where it made none."""

    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    fingerprint: str
    generator_url: str
    starts_at: datetime | None
    ends_at: datetime | None = None
    counts_from_arrival: bool = False
    """Which firing this belongs to is told by when it arrived, not by `starts_at`."""
    identified_by: Mapping[str, str] | None = None
    """What its series is known by, where that is not its labels."""

    @property
    def name(self) -> str:
        return (self.labels.get("alertname") or UNNAMED)[:LONGEST_NAME]


@dataclass(frozen=True)
class Parsed:
    """What a body says. `refused` names the alerts that cannot be taken, and why.

    `acknowledges` are the labels of a series whose incident a person has taken on.
    """

    alerts: Sequence[ReceivedAlert]
    refused: Sequence[str] = ()
    acknowledges: Mapping[str, str] | None = None


def each(items: Any, field: str, read: Callable[[Any, str], ReceivedAlert]) -> Parsed:
    """Every item by itself: one that cannot be taken does not cost its neighbours.

    Raises Unacceptable when it is no list, or when nothing in it can be taken.
    """
    if not isinstance(items, list):
        raise Unacceptable(f"{field}: is not a list")
    alerts, refused = [], []
    for position, item in enumerate(items):
        try:
            alerts.append(read(item, f"{field}[{position}]"))
        except Unacceptable as problem:
            refused.append(str(problem))
    if refused and not alerts:
        raise Unacceptable("; ".join(refused))
    return Parsed(alerts, refused)


def texts(value: Any, where: str) -> dict[str, str]:
    """An object of texts, cleaned. Raises Unacceptable."""
    if not isinstance(value, dict):
        raise Unacceptable(f"{where}: is not an object of texts")
    found = {}
    for name, text in value.items():
        if not isinstance(text, str):
            raise Unacceptable(f"{where}: is not an object of texts")
        found[clean(name)] = clean(text)
    return found


def text(value: Any) -> str:
    """A cleaned text; "" for whatever is none."""
    return clean(value) if isinstance(value, str) else ""


def clean(given: str) -> str:
    """Without what a database refuses: NUL characters and halves of surrogate pairs."""
    if not given.isascii():
        given = given.encode(errors="replace").decode()
    return given.replace("\x00", "") if "\x00" in given else given


def moment(value: Any, where: str) -> datetime | None:
    """An RFC 3339 time, None for none or an impossible year. Raises Unacceptable."""
    if value is None or value == "":
        return None
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None:
        raise Unacceptable(f"{where}: is not an RFC 3339 time")
    if at.year not in YEARS:
        return None
    if at.tzinfo is None:
        raise Unacceptable(f"{where}: is not an RFC 3339 time")
    # databases do not know every offset that a sender may write
    at = at.astimezone(UTC)
    return at if at.year in YEARS else None


def identity(labels: Mapping[str, str], ignored: Iterable[str]) -> str:
    """SHA-256 of the sorted labels less the ignored ones: the series, whichever replica sent it."""
    left_out = set(ignored)
    return digest({name: value for name, value in labels.items() if name not in left_out})


def digest(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()
