"""PagerDuty's Events API v2: one event a request, its series named by `dedup_key`.

`trigger` fires, `resolve` ends, `acknowledge` takes the incident on. An event says nothing about
which firing it belongs to but when it comes, so it counts from its arrival.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings

from incidents.intake.received import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    Parsed,
    ReceivedAlert,
    Unacceptable,
    clean,
    digest,
    moment,
    text,
)

ACTIONS = ("trigger", "acknowledge", "resolve")
LONGEST_KEY = 255
SEVERITIES = ("critical", "error", "warning", "info")
LABELS = {"source": "source", "component": "service", "group": "group", "class": "class"}
LONGEST_DETAILS = 10_000
OUR_WORDS = ("summary", "title", "message", "description")
"""Annotations that speak for the alert: no link is called so."""


def routing_key(body: Any) -> str | None:
    """The token that the body carries: these senders have no header to put it in."""
    found = body.get("routing_key") if isinstance(body, dict) else None
    return found if isinstance(found, str) and found and found.isascii() else None


def dedup_key(body: dict[str, Any]) -> str:
    """The event's own key; a trigger without one gets one made of what it says.

    Raises Unacceptable for a key that is too long, and for an end without a key.
    """
    given = text(body.get("dedup_key"))
    if len(given) > LONGEST_KEY:
        raise Unacceptable(f"dedup_key: is longer than {LONGEST_KEY} characters")
    if given:
        return given
    if body.get("event_action") != "trigger":
        raise Unacceptable("dedup_key: is missing")
    payload = body.get("payload")
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:32]


def parse(body: Any) -> Parsed:
    """The alert of an event. Raises Unacceptable naming the field that is wrong."""
    if not isinstance(body, dict):
        raise Unacceptable("the body is not a JSON object")
    action = body.get("event_action")
    if action not in ACTIONS:
        raise Unacceptable("event_action: is none of trigger, acknowledge and resolve")
    key = dedup_key(body)
    if action == "acknowledge":
        return Parsed([], acknowledges=series_labels(key))
    if action == "resolve":
        return Parsed([_alert(key, False, _optional(body), {}, None)])
    payload = body.get("payload")
    if not isinstance(payload, dict):
        raise Unacceptable("payload: is not an object")
    if not text(payload.get("summary")):
        raise Unacceptable("payload.summary: is missing")
    if not text(payload.get("source")):
        raise Unacceptable("payload.source: is missing")
    if payload.get("severity") not in SEVERITIES:
        raise Unacceptable("payload.severity: is none of critical, error, warning and info")
    at = _moment(payload.get("timestamp"))
    return Parsed([_alert(key, True, payload, _annotations(body, payload), at)])


def series_labels(key: str) -> dict[str, str]:
    """What identifies the series of an event: its key alone, whatever else it says."""
    return {"dedup_key": key}


def _optional(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    return payload if isinstance(payload, dict) else {}


def _alert(
    key: str,
    firing: bool,
    payload: dict[str, Any],
    annotations: dict[str, str],
    at: datetime | None,
) -> ReceivedAlert:
    labels = {
        label: value for field, label in LABELS.items() if (value := text(payload.get(field)))
    }
    name = text(payload.get("class")) or text(payload.get("summary"))[:LONGEST_NAME] or key
    labels |= series_labels(key) | {"alertname": name}
    if severity := text(payload.get("severity")):
        labels["severity"] = severity
    labels = _details(payload, labels) | labels
    return ReceivedAlert(
        firing=firing,
        labels=labels,
        annotations=annotations,
        fingerprint=digest(series_labels(key)),
        generator_url=annotations.get("client_url", "")[:LONGEST_ADDRESS],
        starts_at=at,
        counts_from_arrival=True,
        identified_by=series_labels(key),
    )


def _details(payload: dict[str, Any], own: Collection[str]) -> dict[str, str]:
    """The details that may be labels beside the `own` ones.

    A log or a list of all alerts of a group is not one: it stands in the description alone, and
    is no reason to refuse the event.
    """
    details = payload.get("custom_details")
    room, longest = settings.INTAKE_MAX_LABELS - len(own), settings.INTAKE_MAX_LABEL_LENGTH
    found: dict[str, str] = {}
    for name, value in (details if isinstance(details, dict) else {}).items():
        kept, said = clean(name), text(value)
        if said and kept not in own and max(len(kept), len(said)) <= longest and room > len(found):
            found[kept] = said
    return found


def _annotations(body: dict[str, Any], payload: dict[str, Any]) -> dict[str, str]:
    found = {"summary": text(payload.get("summary"))}
    for field in ("client", "client_url"):
        if value := text(body.get(field)):
            found[field] = value
    details = payload.get("custom_details")
    if details:
        said = details if isinstance(details, str) else json.dumps(details, sort_keys=True)
        found["description"] = clean(said)[:LONGEST_DETAILS]
    _add_addresses(found, "images", body.get("images"), address="src", words="")
    _add_addresses(found, "links", body.get("links"), address="href", words="text")
    return found


def _add_addresses(
    found: dict[str, str], field: str, items: Any, *, address: str, words: str
) -> None:
    """Each under its own words, as far as they are free and annotations allow; the others
    together under `field`, one a line."""
    others: list[str] = []
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict) or not (href := text(item.get(address)).strip()):
            continue
        said = text(item.get(words)).strip()[:LONGEST_NAME]
        if (
            said
            and said not in {*found, *OUR_WORDS, field}
            and len(found) < settings.INTAKE_MAX_LABELS - 1
        ):
            found[said] = href
        else:
            others.append(href)
    if others:
        found[field] = "\n".join(others)


def _moment(value: Any) -> datetime | None:
    """Its claim of when it began: one that cannot be read is no reason to lose an event."""
    try:
        return moment(value, "payload.timestamp")
    except Unacceptable:
        return None
