"""The trace queries of one analysis: searches first, then the traces they found."""

from __future__ import annotations

from correlation.sources import Query, Scope, Source


def trace_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a Tempo, by name; raises ValueError for bad options."""
    return {}


def failed_spans_query(scope: Scope) -> str:
    """The TraceQL that finds the failed spans of the scope's services."""
    return "{ status = error }"
