"""The embedded server: web, sockets, workers and beat in one process."""

from __future__ import annotations

import logging
import logging.config
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from daphne.server import Server, reactor
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from correlation.data_sources import catalogue as data_sources
from incidents.upkeep import environment as alertmanagers
from reliability_studio import demo, preflight
from reliability_studio.background import Background
from reliability_studio.interruption import Interruption

logger = logging.getLogger(__name__)
STOP_SECONDS = 5.0
PING_INTERVAL_SECONDS = 20
PING_TIMEOUT_SECONDS = 30
FIRST_PAGE_SECONDS = 30.0


def run(
    *,
    host: str,
    port: int,
    with_demo: bool,
    with_lab: bool,
    reset: bool,
    say: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotStart before anything is served."""
    interruption = Interruption()
    interruption.listen()  # until Twisted takes both signals
    directory: Path = settings.STUDIO_DIR
    with ExitStack() as stack:
        try:
            preflight.verify(host, port)
            stack.enter_context(preflight.own_directory(directory))
            Path(settings.STATIC_ROOT).mkdir(exist_ok=True)  # else whitenoise warns
            if reset:
                preflight.forget_state(directory)
            if host not in ("0.0.0.0", "::") and host not in settings.ALLOWED_HOSTS:  # noqa: S104
                settings.ALLOWED_HOSTS.append(host)
            lab = None
            if with_lab:
                # before migrating: it spends its first seconds on an hour of history
                intake = f"http://{reachable(host)}:{port}/api/intake/alertmanager"
                if settings.ALERTMANAGER_URL:
                    intake += "?source=lab"  # what a real one lists is not all that the lab fires
                lab = demo.start_lab(directory, intake)
                stack.callback(lab.stop)
            # builds the middleware and sets up logging: not before the checks have passed
            from reliability_studio.asgi import application

            if with_demo:
                _log_to_file(directory / "studio.log")
            _migrate()
            lines = demo.prepare(directory, lab) if with_demo else []
            if lab is not None:
                lab.attach()
                demo.open_inbox()
            # the lab's addresses are known only now
            data_sources.follow_environment()
            alertmanagers.follow_environment()
            preflight.verify_sources(say)
            background = Background(lab.await_history if lab is not None else None)
            stack.callback(background.stop, STOP_SECONDS)
            background.start()
            if lab is not None:
                background.begin_slos()
            _serve(application, host, port, lines, say, interruption)
        except KeyboardInterrupt:
            pass
        interruption.heard()
        say("Stopping.")


def leave() -> None:
    """End the process now, after an orderly stop: no library's exit handler has a say.

    Threads that sit in a request to a slow source, and Twisted with open sockets, otherwise
    hold the process for seconds or end it with another code.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _migrate() -> None:
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        first_line = (str(error).splitlines() or ["no reason given"])[0]
        raise preflight.CannotStart(f"The database cannot be used: {first_line}") from error


def _serve(
    application: Any,
    host: str,
    port: int,
    lines: list[str],
    say: Callable[[str], None],
    interruption: Interruption,
) -> None:
    """Run daphne in this, the main thread, until a signal ends it."""
    address = host.replace(":", r"\:")
    server = Server(
        application,
        endpoints=[f"tcp:port={port}:interface={address}"],
        ping_interval=PING_INTERVAL_SECONDS,
        ping_timeout=PING_TIMEOUT_SECONDS,
        verbosity=0,
        ready_callable=threading.Thread(
            target=_announce, args=(host, port, lines, say), daemon=True
        ).start,
    )

    def take_over() -> None:
        """Twisted has installed its own handlers by now."""
        if interruption.hand_over():
            reactor.stop()

    reactor.callWhenRunning(take_over)
    server.run()
    if not server.listening_addresses and not interruption.asked:
        raise preflight.CannotStart(f"Port {port} is taken by another program; set STUDIO_PORT.")


def _announce(host: str, port: int, lines: list[str], say: Callable[[str], None]) -> None:
    """Wait for the first page, then say where it is and how long that took."""
    url = f"http://{reachable(host)}:{port}"
    deadline = time.monotonic() + FIRST_PAGE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}{settings.LOGIN_URL}", timeout=10):  # noqa: S310
                break
        except urllib.error.HTTPError as error:
            logger.error("first page answered %s", error.code)
            break
        except OSError:
            time.sleep(0.05)
    took = _seconds_since_start()
    for line in (
        "",
        f"Reliability Studio {settings.VERSION} is at {url}",
        *lines,
        f"First page after {took:.1f} s. Ctrl-C stops everything.",
        "",
    ):
        say(line)


def reachable(host: str) -> str:
    """The address at which this machine reaches a server bound to `host`, for URLs."""
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _seconds_since_start() -> float:
    """Seconds since this process started, interpreter and imports included."""
    try:
        started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return uptime - started_ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.process_time()  # not Linux: at least the work it took


def _log_to_file(path: Path) -> None:
    """In the demo the terminal shows what is wrong, and the file every request.

    In settings and not on the handlers: each Celery worker runs django.setup() again.
    """
    logs: dict[str, Any] = settings.LOGGING
    logs["handlers"]["stderr"]["level"] = "WARNING"
    logs["handlers"]["file"] = {
        "class": "logging.FileHandler",
        "filename": path,
        "formatter": "json",
    }
    logs["root"]["handlers"] = ["stderr", "file"]
    logging.config.dictConfig(logs)
