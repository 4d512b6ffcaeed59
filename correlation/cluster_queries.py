"""The Kubernetes queries of one analysis: pods, events and replica sets by namespace."""

from __future__ import annotations

from correlation.sources import Query, Scope, Source


def cluster_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a cluster, by name; raises ValueError for bad options."""
    return {}
