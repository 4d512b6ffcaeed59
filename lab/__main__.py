"""`python -m lab`: the simulated production as a process of its own."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from lab.runtime import Lab
from lab.server import LabServer
from lab.world import HISTORY_SECONDS


def _write_atomically(path: Path, content: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--webhook-url", default="", help="where alerts are posted")
    parser.add_argument("--token-env", default="LAB_TOKEN", help="variable with the bearer token")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--history", type=float, default=HISTORY_SECONDS, metavar="SECONDS")
    parser.add_argument("--port-file", type=Path, default=None)
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if chosen.verbose else logging.INFO,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    token = os.environ.get(chosen.token_env, "")
    lab = Lab(chosen.seed, chosen.history, chosen.webhook_url, token)
    try:
        server = LabServer(lab, chosen.port, chosen.host)
    except OSError as error:
        sys.stderr.write(f"lab: cannot listen on {chosen.host}:{chosen.port}: {error.strerror}\n")
        return 1
    port = server.server_address[1]
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    if chosen.port_file is not None:
        _write_atomically(chosen.port_file, f"{port}\n")
    logging.getLogger("lab").info("listening on http://%s:%d", chosen.host, port)
    lab.start()
    ended.wait()
    server.shutdown()
    server.server_close()
    lab.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
