"""Real servers for tests, from PyPI wheels: PostgreSQL, Valkey, Prometheus.

`python -m tests.servers -- COMMAND` runs a command with DATABASE_URL and REDIS_URL set to
fresh servers of its own, which end with it.
"""

from __future__ import annotations

import os
import socket

# taken before the product is imported, which sets DJANGO_SETTINGS_MODULE
CALLERS_ENVIRONMENT = dict(os.environ)


class ServerError(Exception):
    """A test server could not be started; the message is one line."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
