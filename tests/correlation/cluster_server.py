"""A Kubernetes API server whose answers a test decides, and kubeconfigs that lead to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from correlation.sources import Source

CONTRACTS = Path(__file__).parents[1] / "contracts" / "kubernetes"
Answer = tuple[int, str, bytes]
Params = dict[str, list[str]]
Respond = Callable[[str, Params], Answer]


def recording(name: str) -> dict[str, Any]:
    return json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8"))


def recorded(name: str) -> Answer:
    """The recorded answer as bytes."""
    response = recording(name)["response"]
    body = response["body"]
    raw = body if isinstance(body, str) else json.dumps(body)
    return response["status"], response["headers"].get("content-type", ""), raw.encode()


def items(name: str) -> list[dict[str, Any]]:
    return recording(name)["response"]["body"]["items"]


def answer(body: Any, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(body).encode()


def listing(*objects: dict[str, Any]) -> Answer:
    return answer({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": list(objects)})


def forbidden(resource: str, namespace: str = "") -> Answer:
    """A 403 as the server words it."""
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = f'{resource} is forbidden: User "ann" cannot list resource "{resource}" in API '
    return answer({"kind": "Status", "message": f'{message}group "" {where}'}, 403)


class ClusterServer:
    """`asked` are the paths, with `?continue` where a page was; `tokens` what came with each."""

    def __init__(self) -> None:
        self.respond: Respond = lambda path, params: listing()
        self.asked: list[str] = []
        self.tokens: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                split = urlsplit(self.path)
                params = parse_qs(split.query)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.asked.append(split.path + ("?continue" if "continue" in params else ""))
                server.tokens.append(self.headers.get("Authorization") or "")
                status, kind, body = server.respond(split.path, params)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # the client may have given up
                    self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the name http.server looks for

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def serve(self, answers: dict[str, Answer]) -> None:
        """Answer these paths; every other list is empty."""
        self.respond = lambda path, params: answers.get(path, listing())


@contextmanager
def cluster_server() -> Iterator[ClusterServer]:
    server = ClusterServer()
    yield server
    server.close()


def kubeconfig(url: str, namespace: str = "shop", **user: Any) -> str:
    """Two contexts, `main` (current) and `other`, whose namespace is "elsewhere"."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "contexts": [
                {"name": name, "context": {"cluster": "one", "user": "ann", "namespace": lives_in}}
                for name, lives_in in (("main", namespace), ("other", "elsewhere"))
            ],
            "clusters": [{"name": "one", "cluster": {"server": url}}],
            "users": [{"name": "ann", "user": user or {"token": "s3cret"}}],
        }
    )


def source(directory: Path, text: str, **columns: Any) -> Source:
    """A source over a kubeconfig of that text."""
    path = directory / "kubeconfig"
    path.write_text(text)
    return Source("kubernetes", "kubernetes", "", kubeconfig=str(path), **columns)
