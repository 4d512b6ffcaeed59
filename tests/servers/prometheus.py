"""A real Prometheus for tests: Debian's package, unpacked into .cache/prometheus, not installed.

    python -m tests.servers.prometheus fetch

fetches it once; where the machine does not allow that it says why and the tests that need the
server are skipped by name.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.tsdb import Tsdb, is_stale
from reliability_studio import children
from tests.servers import ServerError, debian, free_port

START_SECONDS = 15.0
USAGE = "usage: python -m tests.servers.prometheus fetch"


def program(name: str) -> Path:
    """The path of `prometheus` or `promtool`. Raises ServerError when it is not there."""
    return debian.program("prometheus", name)


def fetch() -> Path:
    """Download and unpack the package unless it is there. Raises ServerError in one line."""
    return debian.fetch("prometheus", "prometheus")


def openmetrics(tsdb: Tsdb) -> str:
    """Everything in the lab's store as OpenMetrics text.

    Staleness markers have no text (a written NaN is a sample, and poisons every sum): a series
    that ended is held for the look-back of five minutes, as after a scrape that was never tried.
    """
    lines = []
    for labels, times, values in tsdb.select_ms((), -(1 << 62), 1 << 62):
        pairs = ",".join(
            f'{name}="{_escaped(value)}"' for name, value in labels.items() if name != "__name__"
        )
        series = f"{labels['__name__']}{{{pairs}}}"
        ended = is_stale(values)
        times, values = times[~ended], values[~ended]
        for at_ms, value in zip(times.tolist(), values.tolist(), strict=True):
            text = "NaN" if math.isnan(value) else repr(value).replace("inf", "Inf")
            lines.append(f"{series} {text} {at_ms // 1000}.{at_ms % 1000:03d}")
    return "\n".join([*lines, "# EOF", ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write_blocks(history: str, data: Path) -> None:
    """`history` (OpenMetrics text) as blocks in a server's folder. Raises ServerError."""
    source = data / "history.om"
    source.write_text(history)
    try:
        blocks_of(source, data)
    finally:
        source.unlink()


def blocks_of(history: Path, data: Path) -> None:
    """A file of OpenMetrics text as blocks in a server's folder. Raises ServerError."""
    create = ["tsdb", "create-blocks-from", "--max-block-duration=162h", "openmetrics"]
    debian.run([str(program("promtool")), *create, str(history), str(data)], data)


@contextmanager
def running_prometheus(
    history: str = "", configuration: str = "", data: Path | None = None
) -> Iterator[str]:
    """The URL of a server on a loopback port, with `history` (OpenMetrics text) as its blocks.

    `configuration` is a prometheus.yml; without one nothing is scraped. `data` is where it keeps
    its blocks, and they stay there; a folder of its own by default. Raises ServerError.
    """
    prometheus = program("prometheus")
    folder = Path(tempfile.mkdtemp(prefix="studio-prometheus-"))
    try:
        data = data or folder / "data"
        data.mkdir(exist_ok=True)
        if history:
            write_blocks(history, data)
        (folder / "prometheus.yml").write_text(configuration or "global: {}\n")
        port = free_port()
        with (folder / "log").open("wb") as log:
            child = children.start(
                [
                    str(prometheus),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={data}",
                    "--storage.tsdb.retention.time=100y",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=folder,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _await(child, url, folder / "log")
            yield url
        finally:
            children.stop(child)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines() or ["no log"]
            raise ServerError(f"Prometheus ended at its start: {lines[-1]}")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1):
                return
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        time.sleep(0.05)
    raise ServerError(f"Prometheus was not ready after {START_SECONDS:g} s")


def main(arguments: Sequence[str]) -> int:
    if list(arguments) != ["fetch"]:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        fetch()
        print("Prometheus is in .cache/prometheus: its tests will run.")
    except ServerError as error:
        print(f"Prometheus not fetched, its tests will be skipped: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
