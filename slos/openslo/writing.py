"""Definitions to OpenSLO v1 files; `reading.read` gives the same definitions back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from slos.burn import Policy
from slos.definition import Definition, Latency, Ratio, Threshold
from slos.openslo.words import (
    LATENCY_HISTOGRAM,
    LATENCY_SECONDS,
    LEAST_EVENTS,
    PROMETHEUS,
    SHORT_WINDOW,
    VERSION,
)
from slos.periods import Period
from slos.promql import counters, duration_of


def write(definitions: Iterable[Definition]) -> str:
    """One YAML document an SLO, everything inline."""
    found = [_slo(definition) for definition in definitions]
    return yaml.safe_dump_all(
        found, sort_keys=False, allow_unicode=True, width=100, explicit_start=True
    )


def _slo(slo: Definition) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": slo.name}
    if slo.display_name:
        metadata["displayName"] = slo.display_name
    if slo.labels:
        metadata["labels"] = dict(slo.labels)
    if slo.least_events != 1:
        metadata["annotations"] = {LEAST_EVENTS: repr(slo.least_events)}
    spec: dict[str, Any] = {"description": slo.description} if slo.description else {}
    spec |= {
        "service": slo.service,
        "indicator": _indicator(slo),
        "timeWindow": [_window(slo.period)],
        "budgetingMethod": "Occurrences",
        "objectives": [_objective(slo)],
        "alertPolicies": [_policy(slo, policy) for policy in slo.policies],
    }
    return {"apiVersion": VERSION, "kind": "SLO", "metadata": metadata, "spec": spec}


def _objective(slo: Definition) -> dict[str, Any]:
    objective: dict[str, Any] = {"target": slo.target}
    if isinstance(slo.indicator, Threshold):
        objective |= {"op": slo.indicator.op, "value": slo.indicator.value}
    return objective


def _indicator(slo: Definition) -> dict[str, Any]:
    indicator = slo.indicator
    metadata: dict[str, Any] = {"name": f"{slo.name}-sli"[:63].rstrip("-")}
    if isinstance(indicator, Threshold):
        spec: dict[str, Any] = {"thresholdMetric": _metric(indicator.query, slo.data_source)}
        return {"metadata": metadata, "spec": spec}
    if isinstance(indicator, Latency):
        metadata["annotations"] = {
            LATENCY_HISTOGRAM: indicator.histogram,
            LATENCY_SECONDS: repr(indicator.seconds),
        }
    found = counters(indicator)
    assert found is not None
    kind = "bad" if isinstance(indicator, Ratio) and indicator.bad else "good"
    ratio = {
        "counter": True,
        kind: _metric(found.part.query, slo.data_source),
        "total": _metric(found.total.query, slo.data_source),
    }
    return {"metadata": metadata, "spec": {"ratioMetric": ratio}}


def _metric(query: str, source: str) -> dict[str, Any]:
    metric: dict[str, Any] = {"metricSourceRef": source} if source else {}
    return {"metricSource": metric | {"type": PROMETHEUS, "spec": {"query": query}}}


def _window(period: Period) -> dict[str, Any]:
    window: dict[str, Any] = {"duration": str(period), "isRolling": period.rolling}
    if not period.rolling:
        start = period.first().strftime("%Y-%m-%d %H:%M:%S")
        window["calendar"] = {"startTime": start, "timeZone": period.time_zone}
    return window


def _policy(slo: Definition, policy: Policy) -> dict[str, Any]:
    long, short = duration_of(policy.long_seconds), duration_of(policy.short_seconds)
    return {
        "kind": "AlertPolicy",
        "metadata": {"name": f"{slo.name}-{policy.severity}-{long}"},
        "spec": {
            "alertWhenBreaching": True,
            "alertWhenResolved": True,
            "alertWhenNoData": False,
            "conditions": [
                {
                    "kind": "AlertCondition",
                    "metadata": {
                        "name": f"burn-{long}",
                        "annotations": {SHORT_WINDOW: short},
                    },
                    "spec": {
                        "severity": policy.severity,
                        "condition": {
                            "kind": "burnrate",
                            "op": "gt",
                            "threshold": policy.factor,
                            "lookbackWindow": long,
                            "alertAfter": "0m",
                        },
                    },
                }
            ],
        },
    }
