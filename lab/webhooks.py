"""Groups alerts and posts them as Alertmanager does (webhook version 4)."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests

from lab.alerts import Alert

logger = logging.getLogger("lab.webhooks")

GROUP_BY = ("alertname", "service")
GROUP_WAIT_SECONDS = 1.0
GROUP_INTERVAL_SECONDS = 10.0
REPEAT_SECONDS = 4 * 3600.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
POST_TIMEOUT_SECONDS = (2.0, 10.0)
EXTERNAL_URL = "http://alertmanager.shop.example"
RECEIVER = "reliability-studio"
NOT_ENDED = "0001-01-01T00:00:00Z"


def fingerprint(labels: dict[str, str]) -> str:
    """Alertmanager's fingerprint: FNV-1a (64 bit) over the sorted names and values."""
    digest = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in b"\xff".join((name.encode(), labels[name].encode(), b"")):
            digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def rfc3339(at: float | None) -> str:
    if at is None:
        return NOT_ENDED
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _common(many: list[dict[str, str]]) -> dict[str, str]:
    first, *rest = many
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in rest)}


@dataclass
class Group:
    """Alerts that share their group labels. Times are of the monotonic clock."""

    labels: dict[str, str]
    alerts: dict[str, Alert] = field(default_factory=dict)
    notified_firing: set[str] = field(default_factory=set)
    notified_at: float | None = None
    due_at: float = 0.0
    failures: int = 0


def body(group: Group) -> dict[str, object]:
    """The webhook body for a group's present alerts."""
    alerts = [
        {
            "status": "resolved" if alert.ended_at is not None else "firing",
            "labels": dict(sorted(alert.labels.items())),
            "annotations": dict(sorted(alert.annotations.items())),
            "startsAt": rfc3339(alert.fired_at),
            "endsAt": rfc3339(alert.ended_at),
            "generatorURL": alert.generator_url,
            "fingerprint": mark,
        }
        for mark, alert in sorted(group.alerts.items())
    ]
    pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(group.labels.items()))
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "receiver": RECEIVER,
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "groupLabels": group.labels,
        "commonLabels": _common([alert.labels for alert in group.alerts.values()]),
        "commonAnnotations": _common([alert.annotations for alert in group.alerts.values()]),
        "externalURL": EXTERNAL_URL,
        "version": "4",
        "groupKey": "{}:{" + pairs + "}",
        "truncatedAlerts": 0,
    }


class Dispatcher:
    """One thread that posts groups in order; a product that is down is asked again."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "Alertmanager/0.25.0"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._groups: dict[tuple[tuple[str, str], ...], Group] = {}
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()
        self._thread.join(timeout=1.0)

    def take(self, alerts: list[Alert]) -> None:
        """Note alerts that fire or have resolved."""
        now = time.monotonic()
        with self._lock:
            for alert in alerts:
                labels = {name: alert.labels[name] for name in GROUP_BY if name in alert.labels}
                group = self._groups.get(tuple(labels.items()))
                if group is None:
                    if alert.ended_at is not None:
                        continue
                    group = Group(labels, due_at=now + GROUP_WAIT_SECONDS)
                    self._groups[tuple(labels.items())] = group
                group.alerts[fingerprint(alert.labels)] = alert
        self._woken.set()

    def _work(self) -> None:
        while not self._stopping:
            self._woken.wait(timeout=0.2)
            self._woken.clear()
            for key, group in list(self._groups.items()):
                if self._stopping:
                    return
                if group.due_at <= time.monotonic():
                    self._flush(key, group)

    def _flush(self, key: tuple[tuple[str, str], ...], group: Group) -> None:
        now = time.monotonic()
        with self._lock:
            ended = {mark for mark, alert in group.alerts.items() if alert.ended_at is not None}
            for mark in ended - group.notified_firing:
                del group.alerts[mark]  # resolved before anybody was told that it fires
            if not group.alerts:
                del self._groups[key]
                return
            firing = set(group.alerts) - ended
            fresh = bool(firing - group.notified_firing) or bool(ended & group.notified_firing)
            repeat = group.notified_at is not None and now - group.notified_at >= REPEAT_SECONDS
            if not fresh and not repeat:
                group.due_at = now + GROUP_INTERVAL_SECONDS
                return
            sent = {mark: alert.ended_at for mark, alert in group.alerts.items()}
            payload = body(group)
        if not self._post(payload):
            group.due_at = now + RETRY_SECONDS[min(group.failures, len(RETRY_SECONDS) - 1)]
            group.failures += 1
            return
        with self._lock:
            group.failures = 0
            group.notified_at = now
            group.due_at = now + GROUP_INTERVAL_SECONDS
            group.notified_firing = {mark for mark, ended_at in sent.items() if ended_at is None}
            for mark, ended_at in sent.items():
                if ended_at is not None and group.alerts[mark].ended_at is not None:
                    del group.alerts[mark]

    def _post(self, payload: dict[str, object]) -> bool:
        try:
            answer = self._session.post(
                self._url,
                data=json.dumps(payload),
                headers={"Content-Type": "application/json"},
                timeout=POST_TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            logger.warning("webhook %s: %s", payload["groupKey"], error)
            return False
        if answer.status_code // 100 == 2:
            return True
        logger.warning("webhook %s: HTTP %d", payload["groupKey"], answer.status_code)
        return False

    def post_once(self, url: str, payload: dict[str, object]) -> None:
        """Post something by the way, once; a refusal is only logged."""

        def work() -> None:
            try:
                answer = requests.post(
                    url,
                    json=payload,
                    headers={
                        k: str(v) for k, v in self._session.headers.items() if k == "Authorization"
                    },
                    timeout=POST_TIMEOUT_SECONDS,
                )
                logger.info("change event: HTTP %d", answer.status_code)
            except requests.RequestException as error:
                logger.warning("change event: %s", error)

        threading.Thread(target=work, name="change-event", daemon=True).start()
