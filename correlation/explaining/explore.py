"""Addresses that open a query where a person can look at it. Pure: text in, text out.

Grafana's Explore since version 10 reads `panes`, a JSON object of panes by any id; Prometheus 3
sends /graph on to its new page with the parameters kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

TRACES_LISTED = 20


@dataclass(frozen=True)
class TimeRange:
    """From `start` to `end` in epoch seconds; `step` in seconds, None where points have none."""

    start: float
    end: float
    step: float | None = None

    def as_json(self) -> dict[str, float]:
        """{"start", "end"} and, where there is one, "step"; rounded to milliseconds."""
        found = {"start": round(self.start, 3), "end": round(self.end, 3)}
        return found if self.step is None else {**found, "step": round(self.step, 3)}


def explore_url(grafana: str, kind: str, uid: str, query: str, over: TimeRange) -> str:
    """Grafana's Explore with the query in it; without a uid its default data source opens.

    `kind` is "prometheus", "loki" or "tempo"; for Tempo the query is TraceQL or a trace id.
    Raises KeyError for another kind.
    """
    asked = {"refId": "A", **_QUERIES[kind](query, over)}
    pane: dict[str, Any] = {
        "queries": [asked],
        "range": {
            "from": str(math.floor(over.start * 1000)),
            "to": str(math.ceil(over.end * 1000)),
        },
    }
    if uid:
        asked["datasource"] = {"type": kind, "uid": uid}
        pane["datasource"] = uid
    panes = json.dumps({"studio": pane}, separators=(",", ":"))
    parameters = {"schemaVersion": "1", "panes": panes, "orgId": "1"}
    return f"{grafana}/explore?{_encoded(parameters)}"


def graph_url(prometheus: str, query: str, over: TimeRange) -> str:
    """The graph of a query on Prometheus' own page, versions 2 and 3."""
    parameters = {
        "g0.expr": query,
        "g0.tab": "0",
        "g0.range_input": f"{max(1, math.ceil(over.end - over.start))}s",
        "g0.end_input": datetime.fromtimestamp(math.ceil(over.end), UTC).strftime("%F %T"),
    }
    if over.step is not None:
        parameters["g0.step_input"] = str(max(1, round(over.step)))
    return f"{prometheus}/graph?{_encoded(parameters)}"


def public_address(url: str) -> str:
    """The address for every viewer's eyes: no credentials, no query; "" unless http or https."""
    try:
        parts = urlsplit(url)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            return ""
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), "", ""))


def _metric(query: str, over: TimeRange) -> dict[str, Any]:
    step = {} if over.step is None else {"interval": f"{max(1, round(over.step))}s"}
    return {"expr": query, "range": True, "instant": False, "editorMode": "code", **step}


def _logs(query: str, over: TimeRange) -> dict[str, Any]:
    return {"expr": query, "queryType": "range", "editorMode": "code"}


def _traces(query: str, over: TimeRange) -> dict[str, Any]:
    return {
        "query": query,
        "queryType": "traceql",
        "limit": TRACES_LISTED,
        "tableType": "traces",
    }


_QUERIES = {"prometheus": _metric, "loki": _logs, "tempo": _traces}


def _encoded(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, quote_via=quote)
