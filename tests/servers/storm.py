"""A storm of alerts: senders that deliver as Alertmanager does, until they are told to stop."""

from __future__ import annotations

import threading
import time

import requests

SENDERS = 8
PAUSE_SECONDS = 0.2
"""Before what was not answered is sent again."""
ANSWER_SECONDS = 60.0


class Storm:
    """Each sender delivers one new alert after the other, and each until it is answered 2xx.

    `answered` names the alerts (their label `pod`) that were. Sender n reports `services[n]`,
    counted around. `refused` are the other answers: (status, type of the problem, Retry-After).
    """

    def __init__(self, server: str, token: str, services: tuple[str, ...] = ("ledger",)) -> None:
        self.answered: list[str] = []
        self.refused: list[tuple[int, str, str]] = []
        self._url = f"{server}/api/intake/alertmanager"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._over = threading.Event()
        self._heard = threading.Condition()
        self._threads = [
            threading.Thread(target=self._send, args=(n, services[n % len(services)]))
            for n in range(SENDERS)
        ]
        for thread in self._threads:
            thread.start()

    def await_answers(self, more: int, patience_seconds: float) -> bool:
        """Wait until so many more alerts are answered; whether they were in time."""
        with self._heard:
            wanted = len(self.answered) + more
            return self._heard.wait_for(lambda: len(self.answered) >= wanted, patience_seconds)

    def await_refusals(self, more: int, patience_seconds: float) -> list[tuple[int, str, str]]:
        """The next refusals, so many at least where they come in time."""
        with self._heard:
            first = len(self.refused)
            self._heard.wait_for(lambda: len(self.refused) >= first + more, patience_seconds)
            return self.refused[first:]

    def stop(self) -> None:
        """Returns when no request is under way any more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, sender: int, service: str) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            pod = f"sender-{sender}-{number}"
            labels = {"alertname": "Storm", "service": service, "pod": pod}
            alert = {"status": "firing", "labels": labels, "fingerprint": pod}
            while not self._over.is_set() and not self._delivered(alert):
                time.sleep(PAUSE_SECONDS)

    def _delivered(self, alert: dict[str, object]) -> bool:
        try:
            answer = requests.post(
                self._url, json={"alerts": [alert]}, headers=self._headers, timeout=ANSWER_SECONDS
            )
        except requests.RequestException:
            return False
        taken = answer.status_code == 202
        with self._heard:
            if taken:
                self.answered.append(str(alert["fingerprint"]))
            else:
                retry = answer.headers.get("Retry-After", "")
                self.refused.append((answer.status_code, answer.json()["type"], retry))
            self._heard.notify_all()
        return taken
