"""The product itself as a subprocess: `manage.py studio` with a state of its own."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import requests

from reliability_studio import children
from tests.servers import ServerError, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 300.0
OURS = re.compile(
    r"(STUDIO_|CORRELATION_|LOGIN_|DJANGO_SETTINGS_MODULE|PROMETHEUS_|LOKI_|TEMPO_|GRAFANA_"
    r"|ALERTMANAGER_URL|LAB_URL|KUBECONFIG|KUBERNETES_|REGISTRATION_OPEN|SCRAPE_INTERVAL|LOG_LEVEL"
    r"|DEBUG|SECRETS_DIR|STARTUP_PATIENCE)"
)


def environment(directory: Path, **extra: str) -> dict[str, str]:
    """An environment for one installation: the caller's without anything that configures us.

    With DATABASE_URL set (`python -m tests.servers`) it gets a fresh database on that server
    and its own number on the broker, else SQLite in `directory`.
    """
    clean = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    clean |= {"STUDIO_DIR": str(directory), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "default"}
    if "DATABASE_URL" in clean:
        clean["DATABASE_URL"] = _fresh_database(clean["DATABASE_URL"])
    if "REDIS_URL" in clean:
        worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
        clean["REDIS_URL"] = urlsplit(clean["REDIS_URL"])._replace(path=f"/{12 + worker}").geturl()
    return clean | extra


def _fresh_database(url: str) -> str:
    name = f"studio_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@dataclass
class Studio:
    """A running or finished `manage.py studio`; its output is in `log`."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def await_ready(self) -> None:
        """Until /health answers 200. Raises ServerError with the log's end otherwise."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise ServerError(f"manage.py studio is not ready: {self.log.read_text()[-2000:]}")

    def children(self) -> list[int]:
        """Process ids of its children, as Linux tells them."""
        pid = self.process.pid
        found: list[int] = []
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError):  # the thread has just ended
                found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> int:
        return children.stop(self.process, stop_signal=stop_signal, patience_seconds=30.0)

    def start_again(self) -> Studio:
        """A new process on the same state and port."""
        return _start(self.port, self.log, self.environment, self.process.args[3:])  # type: ignore[index]


def start(directory: Path, *arguments: str, port: int | None = None, **extra: str) -> Studio:
    """Start it on a free port; `extra` are environment variables. Does not wait."""
    chosen = port if port is not None else free_port()
    log = _log_beside(directory)
    return _start(chosen, log, environment(directory, **extra), arguments)


def _start(port: int, log: Path, env: dict[str, str], arguments: tuple[str, ...]) -> Studio:
    command = [sys.executable, "manage.py", "studio", *arguments]
    with log.open("ab") as output:
        process = children.start(
            command,
            death_signal=signal.SIGKILL,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=env | {"STUDIO_PORT": str(port)},
        )
    return Studio(process, port, log, env)


def _log_beside(directory: Path) -> Path:
    """In the nearest folder above that exists: the directory itself may be impossible."""
    folder = next(parent for parent in directory.parents if parent.is_dir())
    return folder / f"studio-{secrets.token_hex(4)}.log"
