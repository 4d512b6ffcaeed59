"""Sends Alertmanager bodies over kept connections, as many as fit into a time."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from dataclasses import dataclass, field

START_SECONDS = 30.0


@dataclass
class Outcome:
    """Requests answered 2xx, answered otherwise, and cut off before an answer.

    `problems` says once what each kind of cut was.
    """

    accepted: int = 0
    refused: int = 0
    cut: int = 0
    problems: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, accepted: int, refused: int) -> None:
        with self.lock:
            self.accepted += accepted
            self.refused += refused

    def add_cut(self, problem: str) -> None:
        with self.lock:
            self.cut += 1
            self.problems.add(problem)


def send(
    port: int,
    path: str,
    token: str,
    size: int,
    seconds: float,
    connections: int,
    *,
    repeat: bool = False,
) -> Outcome:
    """Deliver bodies of `size` alerts for `seconds`; with `repeat` each connection its own one."""
    outcome = Outcome()
    threads = [
        threading.Thread(target=_deliver, args=(port, path, token, size, seconds, repeat, outcome))
        for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for problem in sorted(outcome.problems):
        print(f"the sender was cut off: {problem}")
    return outcome


def _deliver(
    port: int, path: str, token: str, size: int, seconds: float, repeat: bool, outcome: Outcome
) -> None:
    mark = os.urandom(6).hex()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: "
    ).encode()
    accepted = refused = number = 0
    template = body(size, mark)
    first = template.replace(b"@@", b"0")
    link = _connect(port)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        number += 1
        content = first if repeat else template.replace(b"@@", str(number).encode())
        try:
            link.sendall(b"%s%d\r\n\r\n%s" % (head, len(content), content))
            answered = _answer(link)
        except OSError as error:
            # a worker that ends after its requests closes a kept connection: as a sender does,
            # go on with another
            outcome.add_cut(f"{type(error).__name__}: {error}")
            link.close()
            link = _connect(port)
            continue
        if answered:
            accepted += 1
        else:
            refused += 1
    link.close()
    outcome.add(accepted, refused)


def body(size: int, mark: str) -> bytes:
    """A v4 body of about 0.75 kB an alert; @@ stands where a series differs from the next."""
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": "HighErrorRate",
                "service": f"service-{position}",
                "namespace": "production",
                "severity": "critical",
                "instance": f"10.0.{position}.17:9090",
                "pod": f"service-{mark}-{position}-@@",
            },
            "annotations": {
                "summary": f"High ratio of failed requests on service-{position}",
                "description": "More than 5 % of the requests of five minutes failed. " * 3,
                "runbook_url": "https://runbooks.example.com/high-error-rate",
            },
            "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com/graph?g0.expr=errors",
            "fingerprint": f"{mark}{position}",
        }
        for position in range(size)
    ]
    whole = {"version": "4", "status": "firing", "receiver": "studio", "alerts": alerts}
    return json.dumps(whole).encode()


def await_listening(port: int) -> None:
    """Raises ConnectionRefusedError when nobody listens after START_SECONDS."""
    _connect(port).close()


def _connect(port: int) -> socket.socket:
    """A connection, once somebody listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            link = socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return link


def _answer(link: socket.socket) -> bool:
    """Read one answer, whose length it says; whether it is a 2xx. Raises OSError when cut off."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(link)
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lengths = [line.partition(b":")[2] for line in lines if line.lower()[:15] == b"content-length:"]
    if not lengths:
        raise ConnectionError(f"an answer without a length: {lines[0].decode(errors='replace')}")
    while len(rest) < int(lengths[0]):
        rest += _received(link)
    return lines[0].split(b" ", 2)[1].startswith(b"2")


def _received(link: socket.socket) -> bytes:
    more = link.recv(65536)
    if not more:
        raise ConnectionError("the server hung up")
    return more
