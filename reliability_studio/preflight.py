"""What must be true before the embedded server or a worker starts; every problem is one line."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db import DatabaseError

from correlation.data_sources import breaker
from correlation.data_sources.catalogue import ENVIRONMENT, source_of
from correlation.data_sources.probe import Probe, probe
from correlation.models import DataSource
from correlation.sources import KIND_NAMES, Source
from incidents.outbound.deadline import Deadline

# what the embedded server writes into STUDIO_DIR; secret_key stays, it is in use already
STATE = ("studio.sqlite3", "studio.sqlite3-wal", "studio.sqlite3-shm", "credentials.json")
LAB_KUBECONFIG = "lab.kubeconfig"
FIRST_LOOK_SECONDS = 2.0
"""A source gets this long to answer however little patience is left."""
LOOK_PAUSE_SECONDS = 0.5
FINAL = ("setup", "401", "403")
"""What waiting does not change."""


class CannotStart(Exception):
    """Why the server cannot start: one line each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def verify(host: str, port: int) -> None:
    """Raises CannotStart when the system checks fail or the port cannot be had."""
    verify_settings()
    _verify_port(host, port)


def verify_settings() -> None:
    """Raises CannotStart when a system check fails."""
    problems = [
        " ".join(f"{found.msg} {found.hint or ''} [{found.id}]".split())
        for found in run_checks()
        if found.level >= ERROR and not found.is_silenced()
    ]
    if problems:
        raise CannotStart(*problems)


def verify_sources(warn: Callable[[str], None]) -> None:
    """Raises CannotStart, a line each, when a required data source cannot be used.

    Servers that start together with us get STARTUP_PATIENCE_SECONDS; optional sources are not
    waited for, `warn` takes a line for each that cannot be used. The lab's stand-ins are not
    asked: we started them.
    """
    try:
        rows = [row for row in DataSource.objects.filter(enabled=True) if not _is_labs(row)]
    except DatabaseError as error:
        raise CannotStart(f"The database cannot be used: {_first_line(error)}") from error
    if not rows:
        return
    patience = Deadline(settings.STARTUP_PATIENCE_SECONDS)
    ended = Event()
    pool = ThreadPoolExecutor(len(rows), thread_name_prefix="startup")

    def look(row: DataSource) -> Probe:
        return _look(source_of(row), patience if _is_required(row) else Deadline(0), ended)

    try:
        looks = list(pool.map(look, rows))
    finally:  # who interrupts the start does not wait for what is left of the patience
        ended.set()
        pool.shutdown(wait=False, cancel_futures=True)
    refusals = []
    for row, found in zip(rows, looks, strict=True):
        breaker.record_probe(row.slug, found)
        if found.reachable:
            continue
        line = f"Data source {row.slug} ({KIND_NAMES[row.kind]}) cannot be used: {found.error}."
        if _is_required(row):
            refusals.append(f"{line} {_remedy(row)}")
        else:
            warn(f"{line} It is optional: analyses go on without it.")
    if refusals:
        raise CannotStart(*refusals)


def _look(source: Source, patience: Deadline, ended: Event) -> Probe:
    """Probes until the source answers, says no for good, or patience ends."""
    while True:
        found = probe(source, Deadline(max(patience.remaining(), FIRST_LOOK_SECONDS)))
        if found.reachable or found.reason in FINAL or patience.remaining() < LOOK_PAUSE_SECONDS:
            return found
        if ended.wait(LOOK_PAUSE_SECONDS):
            return found


def _is_labs(row: DataSource) -> bool:
    if not settings.LAB_URL:
        return False
    if row.kind == DataSource.Kind.KUBERNETES:
        return row.kubeconfig == str(settings.STUDIO_DIR / LAB_KUBECONFIG)
    return row.url.startswith(f"{settings.LAB_URL}/")


def _is_required(row: DataSource) -> bool:
    """<KIND>_OPTIONAL speaks for all of a kind: else nobody could start to correct a row."""
    return row.required and bool(settings.DATA_SOURCE_FIELDS[row.kind]["required"])


def _remedy(row: DataSource) -> str:
    ours = row.origin == DataSource.Origin.ENVIRONMENT
    what = ENVIRONMENT[DataSource.Kind(row.kind)] if ours else "it"
    return f"Correct {what}, or set {row.kind.upper()}_OPTIONAL=1 to start without."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]


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
