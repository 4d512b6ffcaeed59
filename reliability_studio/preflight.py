"""What must be true before the embedded server starts; every problem is one line."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, run_checks

# what the embedded server writes into STUDIO_DIR; secret_key stays, it is in use already
STATE = ("studio.sqlite3", "studio.sqlite3-wal", "studio.sqlite3-shm", "credentials.json")


class CannotStart(Exception):
    """Why the server cannot start: one line each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def verify(host: str, port: int) -> None:
    """Raises CannotStart when the system checks fail or the port cannot be had."""
    problems = [
        " ".join(f"{found.msg} {found.hint or ''} [{found.id}]".split())
        for found in run_checks()
        if found.level >= ERROR and not found.is_silenced()
    ]
    if problems:
        raise CannotStart(*problems)
    _verify_port(host, port)


def _verify_port(host: str, port: int) -> None:
    """Bind it for a moment: daphne reports a taken port, but exits as if all went well."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        raise CannotStart(f"Port {port} needs privileges; set STUDIO_PORT.") from None
    except socket.gaierror:
        raise CannotStart(f"{host} is not an address of this machine.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} is taken by another program; set STUDIO_PORT."
            ) from None
        raise CannotStart(f"Cannot listen on {host}:{port}: {error.strerror}.") from None


@contextmanager
def own_directory(directory: Path) -> Iterator[None]:
    """STUDIO_DIR exists, can be written and is nobody else's while the block runs.

    Raises CannotStart otherwise. The lock ends with the process, however it ends.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"STUDIO_DIR {directory} cannot be written: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"Another Reliability Studio is using {directory}; stop it or set STUDIO_DIR."
            ) from None
        yield
    finally:
        os.close(handle)


def forget_state(directory: Path) -> None:
    """Remove what earlier runs left in STUDIO_DIR; raises CannotStart when it is elsewhere."""
    if settings.DATABASE_URL:
        raise CannotStart("The state is in DATABASE_URL, which --reset does not touch.")
    for name in STATE:
        (directory / name).unlink(missing_ok=True)
