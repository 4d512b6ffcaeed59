"""A real Alertmanager for tests: Debian's package, unpacked into .cache/alertmanager.

`python -m tests.servers.debian fetch` gets it, and as root puts its templates where it looks for
them; without them the tests that drive it are skipped by name.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from reliability_studio import children
from tests.servers import ServerError, debian, free_port

START_SECONDS = 60.0
FIRES_FOR = timedelta(hours=1)
"""What Prometheus would say again and again: fires until it is told otherwise."""


@dataclass
class RealAlertmanager:
    """One that delivers to `webhook` and keeps its silences in `folder`."""

    folder: Path
    webhook: str
    token: str
    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers. Raises ServerError in one line."""
        self._configure()
        with (self.folder / "log").open("ab") as log:
            self.child = children.start(
                [
                    str(debian.alertmanager()),
                    f"--config.file={self.folder / 'alertmanager.yml'}",
                    f"--storage.path={self.folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                lines = (self.folder / "log").read_text().strip().splitlines() or ["no log"]
                raise ServerError(f"Alertmanager ended at its start: {lines[-1]}")
            try:
                if requests.get(f"{self.url}/-/ready", timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        raise ServerError(f"Alertmanager was not ready after {START_SECONDS:g} s")

    def stop(self) -> None:
        """It writes its silences and what it has notified to its folder."""
        if self.child is not None:
            children.stop(self.child)

    def fire(self, **labels: str) -> None:
        """What Prometheus would send of an alert that fires."""
        now = datetime.now(UTC)
        self._alert(labels, now, now + FIRES_FOR)

    def end(self, **labels: str) -> None:
        """What Prometheus would send of an alert that is over."""
        now = datetime.now(UTC)
        self._alert(labels, now - timedelta(seconds=1), now)

    def silence(self, name: str, value: str) -> str:
        """The id of a silence for an hour of the alerts with this label."""
        now = datetime.now(UTC)
        answer = self._call(
            "POST",
            "silences",
            {
                "matchers": [{"name": name, "value": value, "isRegex": False, "isEqual": True}],
                "startsAt": now.isoformat(),
                "endsAt": (now + FIRES_FOR).isoformat(),
                "createdBy": "a test",
                "comment": "known",
            },
        )
        return str(answer.json()["silenceID"])

    def expire(self, silence: str) -> None:
        self._call("DELETE", f"silence/{silence}")

    def states(self) -> list[str]:
        """Of the alerts it lists: active, suppressed or unprocessed."""
        return [one["status"]["state"] for one in self._call("GET", "alerts").json()]

    def _alert(self, labels: dict[str, str], starts_at: datetime, ends_at: datetime) -> None:
        alert = {
            "labels": labels,
            "startsAt": starts_at.isoformat(),
            "endsAt": ends_at.isoformat(),
        }
        self._call("POST", "alerts", [alert])

    def _call(self, method: str, path: str, body: Any = None) -> requests.Response:
        answer = requests.request(method, f"{self.url}/api/v2/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer

    def _configure(self) -> None:
        """As docs/alert-intake.md says, with shorter times. JSON is YAML."""
        configuration = {
            "route": {
                "receiver": "reliability-studio",
                "group_by": ["alertname", "service"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "4h",
            },
            "receivers": [
                {
                    "name": "reliability-studio",
                    "webhook_configs": [
                        {
                            "url": self.webhook,
                            "send_resolved": True,
                            "http_config": {
                                "authorization": {"type": "Bearer", "credentials": self.token}
                            },
                        }
                    ],
                }
            ],
        }
        (self.folder / "alertmanager.yml").write_text(json.dumps(configuration))


@contextmanager
def running_alertmanager(webhook: str, token: str) -> Iterator[RealAlertmanager]:
    """One that is up. Raises ServerError."""
    folder = Path(tempfile.mkdtemp(prefix="studio-alertmanager-"))
    server = RealAlertmanager(folder, webhook, token, free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
