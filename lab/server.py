"""The lab over HTTP: stand-ins for the real APIs, and its own."""

from __future__ import annotations

import json
import logging
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab import alertmanager_api, kubernetes_api, loki_api, prometheus_api, tempo_api
from lab.exposition import CONTENT_TYPE
from lab.faults import CUSTOM, BadField
from lab.runtime import Lab, NotReadyError, UnknownFaultError

logger = logging.getLogger("lab.server")

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
STAND_INS = ("alertmanager", "prometheus", "loki", "tempo", "kubernetes")
MOST_BODY_BYTES = 1_000_000
Answer = tuple[int, str, bytes]


def _json(status: int, value: Any) -> Answer:
    return status, JSON, json.dumps(value).encode()


def _error(status: int, message: str, **more: str) -> Answer:
    return _json(status, {"error": message, **more})


class LabServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, lab: Lab, port: int = 0, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), Handler)
        self.lab = lab

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("connection of %s ended", client_address, exc_info=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LabServer
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def do_PUT(self) -> None:
        self._handle("PUT")

    def do_PATCH(self) -> None:
        self._handle("PATCH")

    def do_DELETE(self) -> None:
        self._handle("DELETE")

    def _handle(self, method: str) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(_error(413, "the body is too large or has no readable length"))
            return
        parts = urlsplit(self.path)
        params = parse_qs(parts.query, keep_blank_values=True)
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
            for name, values in form.items():
                params.setdefault(name, []).extend(values)
        try:
            answer = self._route(method, parts.path, params, body)
        except NotReadyError:
            lab = self.server.lab
            words = lab.failure or "the lab simulates its history; try again in a few seconds"
            answer = 503, PLAIN, words.encode()
        except Exception:
            logger.exception("%s %s", method, self.path)
            answer = _error(500, "the lab failed to answer; see its log")
        self._send(answer)

    def _body(self) -> bytes | None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            return None
        if not 0 <= length <= MOST_BODY_BYTES or self.headers.get("Transfer-Encoding"):
            return None
        return self.rfile.read(length)

    def _send(self, answer: Answer) -> None:
        status, content_type, content = answer
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)

    def _route(self, method: str, path: str, params: dict[str, list[str]], body: bytes) -> Answer:
        lab = self.server.lab
        if path.startswith("/lab/"):
            return self._lab(method, path.removeprefix("/lab/").rstrip("/"), body)
        prefix, _, rest = path.lstrip("/").partition("/")
        rest = f"/{rest}"
        if prefix not in (*STAND_INS, "metrics"):
            return _error(404, f"no such path: {path}")
        simulation = lab.simulation
        if prefix == "alertmanager":
            return alertmanager_api.respond(lab.firing(), lab.up_since, method, rest)
        if prefix == "prometheus":
            return prometheus_api.respond(lab.tsdb, method, rest, params)
        if prefix == "loki":
            return loki_api.respond(lab.logs, method, rest, params)
        if prefix == "tempo":
            return tempo_api.respond(simulation.traces, method, rest, params)
        if prefix == "kubernetes":
            with lab.lock:
                return kubernetes_api.respond(simulation.cluster, method, rest, params)
        if method != "GET":
            return _error(405, "use GET")
        return 200, CONTENT_TYPE, lab.exposition()

    def _lab(self, method: str, path: str, body: bytes) -> Answer:
        lab = self.server.lab
        try:
            match method, path.split("/"):
                case "GET", ["status"]:
                    return _json(200, lab.status())
                case "GET", ["faults"]:
                    return _json(200, lab.faults())
                case "POST", ["faults", "stop"]:
                    return _json(200, {"stopped": lab.stop_all_faults()})
                case "POST", ["faults", fault_id, "start"]:
                    begun = lab.start_fault(fault_id)
                    return _json(200, {"id": fault_id, "active": True, "changed": begun})
                case "POST", ["faults", fault_id, "stop"]:
                    ended = lab.stop_fault(fault_id)
                    return _json(200, {"id": fault_id, "active": False, "changed": ended})
                case "POST", ["fail"]:
                    ignored = lab.start_custom_fault(json.loads(body))
                    return _json(200, {"id": CUSTOM, "active": True, "not_applicable": ignored})
                case "POST", ["inbox"]:
                    lab.inbox.take(dict(self.headers.items()), body.decode())
                    return _json(202, {"status": "taken"})
                case "GET", ["inbox"]:
                    return _json(200, lab.inbox.newest())
                case "DELETE", ["fail"]:
                    ended = lab.stop_fault(CUSTOM)
                    return _json(200, {"id": CUSTOM, "active": False, "changed": ended})
                case _, ["status"] | ["faults"] | ["fail"] | ["inbox"] | ["faults", *_]:
                    return _error(405, f"{method} is not allowed on /lab/{path}")
        except BadField as bad:
            return _error(400, str(bad), field=bad.field)
        except UnknownFaultError as unknown:
            return _error(404, f"no fault has the id {unknown.args[0]!r}")
        except NotReadyError:
            return _error(503, lab.failure or "the lab is not ready yet")
        except (json.JSONDecodeError, UnicodeDecodeError) as unreadable:
            return _error(400, f"the body is not JSON: {unreadable}", field="body")
        return _error(404, f"no such path: /lab/{path}")
