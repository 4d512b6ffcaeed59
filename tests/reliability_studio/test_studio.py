from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.correlation.conftest import Backend
from tests.servers import free_port
from tests.servers.studio import ROOT, Studio

StartStudio = Callable[..., Studio]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def await_ended(pids: list[int]) -> list[int]:
    """Those of the processes that still live after a while."""
    for _ in range(100):
        if not any(is_alive(pid) for pid in pids):
            return []
        time.sleep(0.1)
    return [pid for pid in pids if is_alive(pid)]


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_studio_serves_and_ends_with_zero_on_signal(
    start_studio: StartStudio, stop_signal: signal.Signals
) -> None:
    studio = start_studio()
    studio.await_ready()
    health = requests.get(f"{studio.url}/health", timeout=10).json()

    code = studio.stop(stop_signal)

    assert health["status"] == "ok", health
    assert code == 0, studio.log.read_text()
    assert list(ROOT.glob("celerybeat*")) == []


def test_studio_that_waits_for_its_sources_ends_on_signal(
    start_studio: StartStudio,
) -> None:
    backend = Backend()
    backend.respond = lambda path, params: (503, "text/plain", b"starting\n")
    studio = start_studio(LOKI_URL=backend.url, STARTUP_PATIENCE_SECONDS="600")
    while len(backend.asked) < 4:
        assert studio.process.poll() is None, studio.log.read_text()
        time.sleep(0.05)

    code = studio.stop()

    backend.close()
    assert (code, studio.log.read_text()) == (0, "Stopping.\n")


def test_studio_started_again_keeps_its_state(start_studio: StartStudio) -> None:
    first = start_studio()
    first.await_ready()
    first.stop()

    second = first.start_again()
    second.await_ready()

    assert second.stop() == 0


def test_studio_demo_ends_its_lab_when_stopped(start_studio: StartStudio) -> None:
    studio = start_studio("--demo", STUDIO_ADMIN_PASSWORD="correct horse battery")
    studio.await_ready()
    lab = studio.children()

    code = studio.stop()

    assert len(lab) == 1
    assert code == 0, studio.log.read_text()
    assert await_ended(lab) == []


def test_studio_demo_leaves_no_lab_when_killed(start_studio: StartStudio) -> None:
    studio = start_studio("--demo")
    studio.await_ready()
    lab = studio.children()

    studio.process.kill()
    studio.process.wait()

    assert len(lab) == 1
    assert await_ended(lab) == []


def test_studio_refuses_a_taken_port_in_one_line(start_studio: StartStudio) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        studio = start_studio(port=port)
        code = studio.process.wait(60)

    assert code == 1
    assert studio.log.read_text() == (
        f"Port {port} is taken by another program; set STUDIO_PORT.\n"
    )


def test_studio_refuses_a_directory_it_cannot_write_in_one_line(
    start_studio: StartStudio, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a directory")
    directory = tmp_path / "file" / "state"

    studio = start_studio(directory=directory, STUDIO_DIR=str(directory))
    code = studio.process.wait(60)

    assert code == 1
    assert studio.log.read_text().startswith(f"STUDIO_DIR {directory} cannot be written: Not a ")
    assert studio.log.read_text().count("\n") == 1


def test_studio_refuses_a_bad_environment_in_one_line(start_studio: StartStudio) -> None:
    studio = start_studio(CORRELATION_SLOTS="many")
    code = studio.process.wait(60)

    assert code == 1
    assert studio.log.read_text() == (
        "CORRELATION_SLOTS is 'many', not a number. Example: 10. [studio.E002]\n"
    )


def test_studio_refuses_a_directory_in_use(start_studio: StartStudio) -> None:
    first = start_studio()
    first.await_ready()

    second = start_studio(port=free_port())
    code = second.process.wait(60)

    directory = first.environment["STUDIO_DIR"]
    assert code == 1
    assert second.log.read_text().splitlines()[-1] == (
        f"Another Reliability Studio is using {directory}; stop it or set STUDIO_DIR."
    )
