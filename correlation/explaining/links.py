"""Where a piece of evidence can be looked at: its query, its range, links to the tools."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from correlation.data_sources.catalogue import source_of
from correlation.explaining.explore import TimeRange, explore_url, graph_url, public_address
from correlation.logs.queries import log_windows
from correlation.metrics.queries import STEP_SECONDS
from correlation.models import DataSource
from correlation.scope import CHANGES_BEFORE
from correlation.sources import KIND_NAMES, Scope, grid, windows
from correlation.telemetry import Evidence
from correlation.traces.evidence import trace_baseline
from incidents.models import ChangeEvent

MAX_TRACES = 5
EXPLORED = ("prometheus", "loki", "tempo")

OBJECTS = {
    "pod": "pod",
    "autoscaler": "hpa",
    "horizontalpodautoscaler": "hpa",
    "replicaset": "replicaset",
    "deployment": "deployment",
    "statefulset": "statefulset",
    "daemonset": "daemonset",
    "job": "job",
    "cronjob": "cronjob",
    "persistentvolumeclaim": "pvc",
}
"""What details may name, and what kubectl calls it; the first that is named is shown."""

Link = dict[str, str]
"""{title, url}, and `trace_id` where it opens that trace."""


@dataclass(frozen=True)
class Tools:
    """The data sources of one analysis, the pages of its changes, and what was asked for when."""

    scope: Scope
    sources: Mapping[str, DataSource] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    grafana_url: str = ""
    lab_url: str = ""

    @classmethod
    def of(cls, scope: Scope, evidence: Iterable[Evidence]) -> Tools:
        """What the rows know of the sources that this evidence came from: two queries."""
        rows = DataSource.objects.filter(environment=scope.environment)
        named = (_uuid(item.details.get("change")) for item in evidence if item.type == "change")
        ids = [known for known in named if known is not None]
        pages = ChangeEvent.objects.filter(pk__in=ids).exclude(url="") if ids else ()
        return cls(
            scope=scope,
            sources={row.slug: row for row in rows.order_by("slug")},
            changes={str(change.pk): change.url for change in pages},
            grafana_url=settings.GRAFANA_URL,
            lab_url=settings.LAB_URL.rstrip("/"),
        )

    def range_of(self, evidence: Evidence) -> TimeRange:
        """What was asked for, baseline included, as the query that found it was sent."""
        if evidence.type == "change":
            since = self.scope.started_at - CHANGES_BEFORE.total_seconds()
            return TimeRange(since, self.scope.as_of)
        asked = windows(self.scope)
        whole = TimeRange(asked.baseline[0], asked.window[1])
        row = self.sources.get(evidence.source)
        kind = row.kind if row else _KINDS.get(evidence.type, "")
        if kind == "prometheus":
            return TimeRange(*grid((whole.start, whole.end), _step_seconds(row)))
        if kind == "loki":
            before, during = log_windows(self.scope)
            return TimeRange(before[0], during[1])
        if kind == "tempo":
            return TimeRange(trace_baseline(asked.baseline, asked.window)[0], asked.window[1])
        return TimeRange(*asked.window) if kind == "kubernetes" else whole

    def baseline_of(self, evidence: Evidence) -> TimeRange | None:
        """The part of that range it was compared with; None for what has no baseline."""
        if evidence.type == "metric":
            return TimeRange(*windows(self.scope).baseline)
        if evidence.type == "log":
            return TimeRange(*log_windows(self.scope)[0])
        if evidence.type == "trace":
            asked = windows(self.scope)
            return TimeRange(*trace_baseline(asked.baseline, asked.window))
        return None

    def query_of(self, evidence: Evidence) -> str:
        """Its exact query; for what a cluster said, the command that shows it."""
        row = self.sources.get(evidence.source)
        if evidence.query or row is None or row.kind != "kubernetes":
            return evidence.query
        known = self.scope.found_as.get(evidence.service)
        return kubectl(evidence.details, known.namespace if known else "", row.context)

    def links_for(self, evidence: Evidence) -> list[Link]:
        """Links that open it, best first; none where no tool with a page is known."""
        over = self.range_of(evidence)
        links = self._query_links(evidence, over) + self._trace_links(evidence, over)
        page = self.changes.get(str(evidence.details.get("change")), "")
        if page.lower().startswith(("http://", "https://")):
            links.append({"title": "Open the change", "url": page})
        return links

    def _query_links(self, evidence: Evidence, over: TimeRange) -> list[Link]:
        row = self.sources.get(evidence.source)
        if row is None or not evidence.query or row.kind not in EXPLORED:
            return []
        grafana, title = self._grafana(row)
        if grafana:
            url = explore_url(grafana, row.kind, row.grafana_uid, evidence.query, over)
            return [{"title": title, "url": url}]
        # Prometheus' page reads no tenant header: with a tenant it would show nothing
        base = public_address(row.url)
        if row.kind == "prometheus" and base and not row.tenant and not self._is_lab(row):
            name = KIND_NAMES[row.kind]
            url = graph_url(base, evidence.query, over)
            return [{"title": f"Open in {name}", "url": url}]
        return []

    def _trace_links(self, evidence: Evidence, over: TimeRange) -> list[Link]:
        row = self.sources.get(evidence.source)
        if row is None or row.kind != "tempo":
            row = next((r for r in self.sources.values() if r.kind == "tempo" and r.enabled), None)
        grafana, _title = self._grafana(row) if row else ("", "")
        if row is None or not grafana:
            return []
        return [
            {
                "title": f"Trace {trace_id[:8]}",
                "url": explore_url(grafana, row.kind, row.grafana_uid, trace_id, over),
                "trace_id": trace_id,
            }
            for trace_id in trace_ids(evidence.details)[:MAX_TRACES]
        ]

    def _grafana(self, row: DataSource) -> tuple[str, str]:
        """(Grafana's address or "", what the link says); the lab's stand-ins are not in one."""
        base = "" if self._is_lab(row) else public_address(row.grafana_url or self.grafana_url)
        if row.grafana_uid:
            return base, "Open in Grafana"
        return base, f"Open in Grafana (choose the {KIND_NAMES[row.kind]} data source there)"

    def _is_lab(self, row: DataSource) -> bool:
        return bool(self.lab_url) and f"{row.url}/".startswith(f"{self.lab_url}/")


def trace_ids(details: Mapping[str, Any]) -> list[str]:
    """The trace ids among the details: hexadecimal text only, each once."""
    given = details.get("trace_ids")
    texts = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    return list(dict.fromkeys(one for one in texts if one and set(one.lower()) <= _HEX))


def kubectl(details: Mapping[str, Any], namespace: str, context: str = "") -> str:
    """The command that shows what a cluster spoke of, fit to paste into a shell; "" if unnamed.

    `details` may name `namespace`, one of OBJECTS, `node`, and `workload` ("api", taken for a
    deployment, or "statefulset/api"). A node is meant only where no namespace is named.
    """

    def named(key: str) -> str:
        text = details.get(key)
        return text if isinstance(text, str) else ""

    kind, slash, name = named("workload").partition("/")
    target = next(([short, named(key)] for key, short in OBJECTS.items() if named(key)), [])
    if not target and named("node") and not named("namespace"):
        target = ["node", named("node")]
    elif not target and kind:
        target = [kind.lower(), name] if slash else ["deployment", kind]
    if not target:
        return ""
    place = "" if target[0] == "node" else named("namespace") or namespace
    words = ["kubectl", *(["--context", context] if context else [])]
    words += ["-n", place] if place else []
    return shlex.join([*words, "describe", *target])


_HEX = frozenset("0123456789abcdef")
_KINDS = {"metric": "prometheus", "log": "loki", "trace": "tempo", "kubernetes": "kubernetes"}


def _step_seconds(row: DataSource | None) -> float:
    try:
        return source_of(row).number("step_seconds", STEP_SECONDS) if row else STEP_SECONDS
    except ValueError:  # set up wrongly since it was asked
        return STEP_SECONDS


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
