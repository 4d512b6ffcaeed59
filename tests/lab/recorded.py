"""The recorded answers of real servers (tests/contracts), as the lab's request and its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parents[1] / "contracts"
Respond = Callable[[Any, str, str, dict[str, list[str]]], tuple[int, str, bytes]]


def recording(server: str, name: str) -> dict[str, Any]:
    """One recording: {description, request, response}."""
    found: dict[str, Any] = json.loads((CONTRACTS / server / f"{name}.json").read_text())
    return found


def replay(respond: Respond, store: Any, request: dict[str, Any]) -> tuple[int, str, Any]:
    """Ask the lab what was asked of the real server: (status, content type, body).

    A JSON body comes back parsed, any other as text, as in the recordings.
    """
    given = {**request["params"], **(request.get("body") or {})}
    params = {
        name: [str(v) for v in value] if isinstance(value, list) else [str(value)]
        for name, value in given.items()
    }
    status, content_type, body = respond(store, request["method"], request["path"], params)
    parsed = json.loads(body) if content_type.startswith("application/json") else body.decode()
    return status, content_type, parsed


def answer_of(recorded: dict[str, Any]) -> tuple[int, str, Any]:
    """The recorded answer in the same form."""
    response = recorded["response"]
    return response["status"], response["headers"]["content-type"], response["body"]
