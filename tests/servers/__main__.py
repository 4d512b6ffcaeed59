"""Run a command with a PostgreSQL and a Valkey of its own.

    python -m tests.servers -- python -m pytest -n 2

Exports DATABASE_URL, REDIS_URL and SECRET_KEY (those already set are kept and no server is
started for them), forwards signals, stops both servers and exits with the command's code.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reliability_studio import children
from tests.servers import CALLERS_ENVIRONMENT, ServerError, postgres, valkey

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCHED = (signal.SIGCHLD, *FORWARDED)
USAGE = "usage: python -m tests.servers -- COMMAND [ARGUMENT ...]"


@contextmanager
def running_servers() -> Iterator[dict[str, str]]:
    """The environment that points at running servers; they stop at the end of the block."""
    environment = {"SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_urlsafe(48)}
    folder = Path(tempfile.mkdtemp(prefix="studio-servers-"))
    folder.chmod(0o711)  # PostgreSQL's own folder inside is 0700 and, under root, not ours
    servers: list[postgres.Postgres | valkey.Valkey] = []
    try:
        for variable, start in (("DATABASE_URL", postgres.start), ("REDIS_URL", valkey.start)):
            if os.environ.get(variable):
                continue
            part = folder / variable.lower()
            part.mkdir(mode=0o700)
            server = start(part)
            servers.append(server)
            environment[variable] = server.url
        yield environment
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command to its end, forwarding signals; its exit code as a shell would give it."""
    try:
        child = children.start(command, env=CALLERS_ENVIRONMENT | environment)
    except OSError as error:
        raise ServerError(f"{command[0]} cannot be run: {error.strerror}.") from error
    while child.poll() is None:
        received = signal.sigwaitinfo(WATCHED)
        # a positive si_code is the terminal's Ctrl-C, which the command got as well
        if received.si_signo in FORWARDED and received.si_code <= 0:
            child.send_signal(received.si_signo)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def main(arguments: Sequence[str]) -> int:
    command = list(arguments[1:]) if arguments[:1] == ["--"] else list(arguments)
    if not command:
        print(USAGE, file=sys.stderr)
        return 2
    children.die_with_parent(signal.SIGTERM)
    # blocked from here on and read in run(), so that none is lost between two steps
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    try:
        with running_servers() as environment:
            return run(command, environment)
    except ServerError as error:
        print(f"tests.servers: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
