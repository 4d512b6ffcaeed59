"""Alertmanager's webhook v4, which Grafana's alerting speaks too.

Each alert counts by its own status, never the group's (a group "fires" while any member
does). `groupKey`, the group's labels and its texts identify nothing. See docs/alert-intake.md.
"""

from __future__ import annotations

from typing import Any

from incidents.intake.received import (
    LONGEST_ADDRESS,
    Parsed,
    ReceivedAlert,
    Unacceptable,
    digest,
    each,
    moment,
    text,
    texts,
)


def parse(body: Any) -> Parsed:
    """The alerts of a webhook body. Raises Unacceptable naming the field that is wrong."""
    if not isinstance(body, dict):
        raise Unacceptable("the body is not a JSON object")
    return each(body.get("alerts"), "alerts", read_alert)


def read_alert(item: Any, where: str) -> ReceivedAlert:
    """One member of `alerts`; `where` is its place, for the message of Unacceptable."""
    if not isinstance(item, dict):
        raise Unacceptable(f"{where}: is not an object")
    status = item.get("status")
    if status not in ("firing", "resolved"):
        raise Unacceptable(f"{where}.status: is neither firing nor resolved")
    labels = texts(item.get("labels"), f"{where}.labels")
    if not labels:
        raise Unacceptable(f"{where}.labels: is empty")
    return ReceivedAlert(
        firing=status == "firing",
        labels=labels,
        annotations=texts(item.get("annotations") or {}, f"{where}.annotations"),
        fingerprint=text(item.get("fingerprint")) or digest(labels),
        generator_url=text(item.get("generatorURL"))[:LONGEST_ADDRESS],
        starts_at=moment(item.get("startsAt"), f"{where}.startsAt"),
        ends_at=moment(item.get("endsAt"), f"{where}.endsAt"),
    )
