"""Replays the recorded answers of tests/contracts through `responses`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import responses

CONTRACTS = Path(__file__).parents[2] / "contracts"
BASE = {
    "prometheus": "http://prometheus.test:9090",
    "loki": "http://loki.test:3100",
    "tempo": "http://tempo.test:3200",
}


def recording(server: str, name: str) -> dict[str, Any]:
    return json.loads((CONTRACTS / server / f"{name}.json").read_text(encoding="utf-8"))


def names(server: str, *prefixes: str) -> list[str]:
    """The recordings whose names begin with one of the prefixes."""
    files = sorted((CONTRACTS / server).glob("*.json"))
    return [file.stem for file in files if file.stem.startswith(prefixes)]


def replay(server: str, name: str) -> dict[str, Any]:
    """Answers the recording's path with the recorded answer; returns the recording."""
    record = recording(server, name)
    response = record["response"]
    body = response["body"]
    responses.add(
        method=record["request"]["method"],
        url=BASE[server] + record["request"]["path"],
        body=body if isinstance(body, str) else json.dumps(body),
        status=response["status"],
        content_type=response["headers"].get("content-type"),
    )
    return record
