"""What every test gets: no outside network, and nothing left in the cache by another test."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# how long drawing or running an example takes says how busy the machine is
hypothesis_settings.register_profile(
    "studio", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("studio")

TESTS = Path(__file__).parent
SLOW_FILES = (
    "test_workflow.py",
    "test_intake_storm.py",
    "test_stack.py",
    "test_demo.py",
    "test_studio.py",
    "test_real_prometheus.py",
)

COMPUTING = ("lab", "correlation", "test_compose.py", "test_architecture.py")
"""Where a test that asks for no database meets none, in no other process either."""

DATABASE_FIXTURES = frozenset(("db", "transactional_db", "live_server"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--another-database",
        action="store_true",
        help="a suite that was run on one database already: only what a database may change",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first: with a file a worker, the last to start decides the end."""
    if config.getoption("--another-database"):
        ran = [item for item in items if _only_computes(item)]
        config.hook.pytest_deselected(items=ran)
        items[:] = [item for item in items if not _only_computes(item)]
    items.sort(key=lambda item: item.path.name not in SLOW_FILES)


def _only_computes(item: pytest.Item) -> bool:
    room = item.path.relative_to(TESTS).parts[0]
    fixtures = getattr(item, "fixturenames", ())
    stored = item.get_closest_marker("django_db") or DATABASE_FIXTURES.intersection(fixtures)
    return room in COMPUTING and not stored


class OutsideNetwork(Exception):
    """A test tried to reach another machine."""


def is_local(address: Any) -> bool:
    if not isinstance(address, tuple):  # a Unix socket's path
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] in ("localhost", "")


@pytest.fixture(autouse=True, scope="session")
def no_outside_network() -> Iterator[None]:
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if not is_local(address):
            raise OutsideNetwork(f"tests may not connect to {address!r}")
        return real(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Throttles count in the cache: each test starts from zero."""
    yield
    cache.clear()
    caches["process"].clear()
