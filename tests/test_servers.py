"""The wrapper that gives a command its own PostgreSQL and Valkey."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability_studio.test_studio import await_ended
from tests.servers.studio import ROOT

ASK = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SHOW server_version_num").fetchone()[0][:2])
with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
    print(client.info()["valkey_version"].partition(".")[0])
print(len(os.environ["SECRET_KEY"]) >= 32)
"""
WAIT = "trap 'exit 5' TERM; echo $PPID; while :; do sleep 0.1; done"


def run(*command: str) -> subprocess.Popen[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.servers", "--", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def descendants(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        own = [int(c) for task in tasks for c in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return own + [found for child in own for found in descendants(child)]


@pytest.fixture
def waiting() -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A wrapper whose command waits, and all the processes below it."""
    wrapper = run("sh", "-c", WAIT)
    assert wrapper.stdout is not None
    wrapper.stdout.readline()
    yield wrapper, descendants(wrapper.pid)
    wrapper.kill()
    wrapper.communicate()


def test_servers_answer_and_the_exit_code_is_the_commands() -> None:
    with run(sys.executable, "-c", ASK) as asked:
        output, errors = asked.communicate()

    with run("sh", "-c", "exit 7") as failing:
        failing.communicate()

    assert (output.split(), errors, asked.returncode) == (["18", "9", "True"], "", 0)
    assert failing.returncode == 7


def test_servers_forward_the_signal_and_stop(
    waiting: tuple[subprocess.Popen[str], list[int]],
) -> None:
    wrapper, below = waiting

    wrapper.send_signal(signal.SIGTERM)

    assert wrapper.wait() == 5
    assert len(below) > 3
    assert await_ended(below) == []


def test_servers_end_when_the_wrapper_is_killed(
    waiting: tuple[subprocess.Popen[str], list[int]],
) -> None:
    wrapper, below = waiting

    wrapper.kill()
    wrapper.wait()

    assert len(below) > 3
    assert await_ended(below) == []


def test_servers_say_in_one_line_what_cannot_be_run() -> None:
    with run("no-such-program") as wrapper:
        output, errors = wrapper.communicate()

    assert (output, wrapper.returncode) == ("", 1)
    assert errors == "tests.servers: no-such-program cannot be run: No such file or directory.\n"
