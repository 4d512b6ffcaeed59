"""The live contract suite: `pytest -m live`, against the servers that variables name.

Sockets may go to those servers and nowhere else.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from correlation import shared_answers
from correlation.logs import labels as log_labels
from incidents.outbound.deadline import Deadline
from tests.conftest import OutsideNetwork, is_local
from tests.live.servers import URLS


def _hosts() -> set[str]:
    urls = [os.environ.get(name, "") for name in URLS]
    for name in ("KUBECONFIG", "KUBECONFIG_SEED"):
        for path in filter(None, os.environ.get(name, "").split(os.pathsep)):
            clusters = (yaml.safe_load(Path(path).read_text()) or {}).get("clusters") or []
            urls += [cluster["cluster"].get("server", "") for cluster in clusters]
    return {host for url in urls if (host := urlsplit(url).hostname)}


@pytest.fixture(autouse=True, scope="session")
def no_outside_network() -> Iterator[None]:
    """Takes the place of the suite's own guard: the named servers' addresses are let through."""
    real = socket.socket.connect
    allowed = {
        found[4][0] for host in _hosts() for found in socket.getaddrinfo(host, None)
    }  # a name that does not resolve fails here, by name

    def connect(self: socket.socket, to: Any) -> None:
        if not is_local(to) and to[0] not in allowed:
            raise OutsideNetwork(f"live tests may not connect to {to!r}")
        return real(self, to)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def ask_anew() -> None:
    log_labels.forget()
    shared_answers.forget()


@pytest.fixture
def deadline() -> Deadline:
    return Deadline(20)
