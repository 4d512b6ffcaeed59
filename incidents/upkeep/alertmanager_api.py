"""Alertmanager's API v2, read whole: which alerts it holds, and since when it has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.intake.alertmanager import read_alert
from incidents.intake.received import ReceivedAlert, Unacceptable
from incidents.outbound.deadline import Deadline
from incidents.outbound.http import HttpSource

SETTLED = ("ready", "disabled")
"""What `cluster.status` says of one that has heard from its peers, or has none."""


@dataclass(frozen=True)
class HeldAlert:
    """One alert that an Alertmanager holds, as it would deliver it.

    `state` is its own word: active, suppressed or unprocessed. `quieted_by` says by what it is
    suppressed: {"silences": ids, "alerts": fingerprints, "intervals": names}, empty ones left out.
    """

    alert: ReceivedAlert
    state: str
    quieted_by: Mapping[str, tuple[str, ...]]
    receivers: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """A complete answer. `up_since` and `settled` are None where the server does not say."""

    alerts: tuple[HeldAlert, ...]
    up_since: datetime | None
    settled: bool | None
    version: str


def read(server: HttpSource, deadline: Deadline) -> Reading:
    """All alerts, whatever their state, and then the status.

    In this order: one that restarts in between has a young status. Raises BackendError for an
    answer that cannot be used whole.
    """
    everything = dict.fromkeys(("active", "silenced", "inhibited", "unprocessed"), "true")
    alerts = server.get_json("/api/v2/alerts", everything, deadline)
    status = server.get_json("/api/v2/status", {}, deadline)
    try:
        return Reading(held_alerts(alerts), *_standing(status))
    except Unacceptable as error:
        server.bad_body(f"answered what is no Alertmanager's: {error}")


def held_alerts(body: Any) -> tuple[HeldAlert, ...]:
    """The alerts of a `/api/v2/alerts` answer. Raises Unacceptable naming the field."""
    if not isinstance(body, list):
        raise Unacceptable("the alerts are not a list")
    return tuple(_held(item, f"alerts[{position}]") for position, item in enumerate(body))


def _held(item: Any, where: str) -> HeldAlert:
    status = item.get("status") if isinstance(item, dict) else None
    if not isinstance(status, dict) or not isinstance(status.get("state"), str):
        raise Unacceptable(f"{where}.status.state: is not a text")
    # its endsAt is when it will be over unless Prometheus repeats it: no end yet
    received = read_alert({**item, "status": "firing", "endsAt": None}, where)
    quieted = {
        "silences": _names(status.get("silencedBy"), f"{where}.status.silencedBy"),
        "alerts": _names(status.get("inhibitedBy"), f"{where}.status.inhibitedBy"),
        "intervals": _names(status.get("mutedBy"), f"{where}.status.mutedBy"),
    }
    receivers = item.get("receivers") or []
    if not isinstance(receivers, list) or not all(isinstance(r, dict) for r in receivers):
        raise Unacceptable(f"{where}.receivers: is not a list of objects")
    return HeldAlert(
        alert=received,
        state=status["state"],
        quieted_by={kind: found for kind, found in quieted.items() if found},
        receivers=_names([r.get("name") for r in receivers], f"{where}.receivers"),
    )


def _names(value: Any, where: str) -> tuple[str, ...]:
    names = value or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Unacceptable(f"{where}: is not a list of texts")
    return tuple(sorted(name.replace("\x00", "") for name in names))


def _standing(body: Any) -> tuple[datetime | None, bool | None, str]:
    if not isinstance(body, dict):
        raise Unacceptable("the status is not an object")
    uptime, cluster, version = (body.get(name) for name in ("uptime", "cluster", "versionInfo"))
    try:
        up_since = datetime.fromisoformat(uptime) if isinstance(uptime, str) else None
    except ValueError:
        raise Unacceptable("status.uptime: is not an RFC 3339 time") from None
    if up_since is not None and up_since.tzinfo is None:
        raise Unacceptable("status.uptime: has no time zone")
    said = cluster.get("status") if isinstance(cluster, dict) else None
    number = version.get("version") if isinstance(version, dict) else None
    return (
        up_since,
        said in SETTLED if isinstance(said, str) else None,
        number[:100] if isinstance(number, str) else "",
    )
