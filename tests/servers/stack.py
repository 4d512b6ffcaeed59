"""The product's processes as docker-compose.yml starts them, as children on loopback ports.

Commands, environments, health checks and stop signals are the file's own. Only what a container
would give is given otherwise: addresses, folders, and PostgreSQL and Redis from DATABASE_URL and
REDIS_URL.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reliability_studio import children
from tests.servers import ServerError, debian, free_port, studio
from tests.servers.compose import ROOT, filled

READY_SECONDS = 180.0
STOP_SECONDS = 60.0
STATE_VARIABLES = {"DATABASE_URL", "REDIS_URL"}


@dataclass
class Process:
    """One service of the file, running."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    def stop(self) -> int:
        """Its exit code after the signal that Docker would send it."""
        return children.stop(
            self.child, stop_signal=self.stop_signal, patience_seconds=STOP_SECONDS
        )

    @property
    def left_behind(self) -> list[int]:
        """Processes of its group that are still there."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    words = (entry / "stat").read_text().rpartition(")")[2].split()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if int(words[2]) == self.child.pid and words[0] != "Z":
                    found.append(int(entry.name))
        return found


@dataclass
class Stack:
    """All of them; `secrets` are what a deployer would have put into .env."""

    folder: Path
    settings: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, Process] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path, **settings: str) -> Stack:
        """Nothing is started yet. Reads DATABASE_URL and REDIS_URL, which must be set."""
        given = {
            "SECRET_KEY": secrets.token_hex(32),
            "POSTGRES_PASSWORD": secrets.token_hex(24),
            "REDIS_PASSWORD": secrets.token_hex(24),
            "METRICS_TOKEN": secrets.token_hex(24),
            "ALERTMANAGER_TOKEN": "rst_" + secrets.token_hex(24),
            "GRAFANA_ADMIN_PASSWORD": secrets.token_hex(16),
        }
        stack = cls(folder, given | settings)
        stack.ports = {name: free_port() for name in ("0.0.0.0:8000", "8001", "9000")}
        (folder / "state" / "static").mkdir(parents=True)
        (folder / "metrics").mkdir()
        ours = studio.environment(folder / "state")
        stack._state = {name: ours[name] for name in STATE_VARIABLES}
        return stack

    _state: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """nginx, as people reach it."""
        return f"http://127.0.0.1:{self.ports['9000']}"

    @property
    def web_url(self) -> str:
        """gunicorn, as Prometheus and Alertmanager reach it."""
        return f"http://127.0.0.1:{self.ports['0.0.0.0:8000']}"

    @property
    def sockets_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['8001']}"

    def here(self, text: str) -> str:
        """A word of the file with addresses of containers replaced by ours."""
        web, sockets = self.ports["0.0.0.0:8000"], self.ports["8001"]
        for theirs, ours in (
            ("0.0.0.0:8000", f"127.0.0.1:{web}"),
            ("127.0.0.1:8000", f"127.0.0.1:{web}"),
            ("127.0.0.1:8001", f"127.0.0.1:{sockets}"),
            ("/run/metrics", str(self.folder / "metrics")),
        ):
            text = text.replace(theirs, ours)
        return {"0.0.0.0": "127.0.0.1", "8001": str(sockets)}.get(text, text)

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = filled(self.settings)["services"][name]
        return found

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """What the container would see, and nothing of the caller's."""
        given = {k: self.here(str(v)) for k, v in self.service(name)["environment"].items()}
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "STUDIO_DIR": str(self.folder / "state"),
            "DJANGO_SETTINGS_MODULE": "reliability_studio.settings",
            **given,
            **self._state,
            **more,
        }

    def run(self, name: str, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """A command to its end in the environment of a service: `docker compose run`."""
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(name, **more), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def command(self, name: str) -> list[str]:
        return [self.here(word) for word in self.service(name)["command"]]

    def start(self, name: str) -> Process:
        """Starts a service of ours, as the leader of a process group of its own."""
        return self._start(name, self.command(name), self.environment(name))

    def start_nginx(self) -> Process:
        """The real nginx with the file's configuration. Raises ServerError where there is none."""
        text = (ROOT / "docker" / "nginx.conf").read_text()
        for theirs, ours in (
            ("listen 9000;", f"listen 127.0.0.1:{self.ports['9000']};"),
            ("set $web web:8000;", f"set $web {self.web_url.removeprefix('http://')};"),
            ("set $sockets sockets:8001;", f"set $sockets {self.sockets_url[7:]};"),
            ("/tmp/", f"{self.folder}/"),
        ):
            if theirs not in text:
                raise ServerError(f"docker/nginx.conf has no {theirs!r}")
            text = text.replace(theirs, ours)
        (self.folder / "nginx.conf").write_text(text)
        program = str(debian.program("nginx", "nginx"))
        command = [program, "-c", str(self.folder / "nginx.conf"), *self.command("nginx")[1:]]
        if os.geteuid() == 0:  # its workers would run as nobody, and may not enter our folder
            command[-1] += " user root;"
        return self._start("nginx", command, {"PATH": os.environ["PATH"]})

    def _start(self, name: str, command: list[str], environment: Mapping[str, str]) -> Process:
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            child = children.start(
                command, death_signal=signal.SIGKILL, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=ROOT, env=dict(environment), start_new_session=True,
            )  # fmt: skip
        stop_signal = signal.Signals[self.service(name).get("stop_signal", "SIGTERM")]
        self.running[name] = Process(name, child, log, stop_signal)
        return self.running[name]

    def healthy(self, name: str) -> bool:
        """What the file's own health check says of a service of ours, once."""
        how, *words = self.service(name)["healthcheck"]["test"]
        words = [self.here(word) for word in words]
        command = words if how == "CMD" else ["sh", "-c", *words]
        return self.run(name, command).returncode == 0

    def await_healthy(self, name: str) -> None:
        """Raises ServerError with the end of its log when it ends or never becomes healthy."""
        deadline = time.monotonic() + READY_SECONDS
        process = self.running[name]
        while time.monotonic() < deadline and process.child.poll() is None:
            if self.healthy(name):
                return
            time.sleep(0.3)
        raise ServerError(f"{name} is not healthy: {process.log.read_text()[-3000:]}")

    def kill(self) -> None:
        for process in self.running.values():
            try:
                os.killpg(process.child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.child.wait()
