"""A cluster's events, old form and new, folded into what they say of each service. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from correlation.cluster.objects import Object, epoch, namespace_of, part
from correlation.telemetry import WorkloadState

TELLING = frozenset({"Killing", "ScalingReplicaSet", "SuccessfulRescale", "NodeNotReady"})
"""Events of type Normal worth knowing; those of type Warning all are."""

STOPPING = "Stopping"
"""Killing, when nothing but a replacement is behind it."""

AUTOSCALER_KIND, NODE_KIND = "HorizontalPodAutoscaler", "Node"

_FAILED = re.compile(r"fail|restarted|unhealthy|evict|preempt|exceed", re.IGNORECASE)


@dataclass(frozen=True)
class ClusterEvent:
    """One event; `first` and `last` in epoch seconds, `count` how often it was seen."""

    kind: str
    name: str
    namespace: str
    reason: str
    message: str
    warning: bool
    first: float
    last: float
    count: int
    host: str = ""
    container: str = ""


def read(event: Object) -> ClusterEvent | None:
    """An event of the core API or of events.k8s.io; None for one without a time."""
    about = part(event, "involvedObject") or part(event, "regarding")
    series = part(event, "series")
    born = epoch(event["metadata"].get("creationTimestamp"))
    new = epoch(event.get("eventTime"))
    old_last = epoch(event.get("lastTimestamp") or event.get("deprecatedLastTimestamp"))
    old_first = epoch(event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp"))
    last = epoch(series.get("lastObservedTime")) or old_last or new or born
    if last is None:
        return None
    source = part(event, "source") or part(event, "deprecatedSource")
    count = series.get("count") or event.get("count") or event.get("deprecatedCount") or 1
    field = str(about.get("fieldPath") or "")
    return ClusterEvent(
        kind=str(about.get("kind") or ""),
        name=str(about.get("name") or ""),
        namespace=str(about.get("namespace") or namespace_of(event)),
        reason=str(event.get("reason") or ""),
        message=str(event.get("message") or event.get("note") or ""),
        warning=event.get("type") == "Warning",
        first=min(old_first or new or born or last, last),
        last=last,
        count=count if isinstance(count, int) and count > 0 else 1,
        host=str(source.get("host") or event.get("reportingInstance") or ""),
        container=field.rpartition("{")[2].rstrip("}") if "{" in field else "",
    )


def read_all(events: Iterable[Object], look_back: float) -> tuple[ClusterEvent, ...]:
    """The telling events seen at or after `look_back`, oldest first."""
    found = [one for event in events if (one := read(event)) and one.last >= look_back]
    telling = [one for one in found if one.warning or one.reason in TELLING]
    return tuple(sorted(telling, key=lambda one: (one.last, one.namespace, one.name, one.reason)))


def event_states(
    events: Sequence[ClusterEvent],
    look_back: float,
    belongs_to: Callable[[ClusterEvent], Sequence[tuple[str, str]]],
) -> list[WorkloadState]:
    """One state for each service, workload and reason; `belongs_to` gives (service, workload)s.

    It began with the first of them that began since `look_back`. What had begun before and goes
    on is old, and says so.
    """
    folded: dict[tuple[str, str, str], list[ClusterEvent]] = {}
    for event in events:
        for service, workload in belongs_to(event):
            folded.setdefault((service, workload, _reason(event)), []).append(event)
    states = []
    for (service, workload, reason), group in folded.items():
        recent = [event for event in group if event.first >= look_back]
        newest = group[-1]
        first = min(recent or group, key=lambda event: (event.first, event.name))
        attributes = {
            "namespace": newest.namespace,
            newest.kind.lower() or "object": newest.name,
            "container": newest.container,
            "node": newest.host,
            "last_seen": f"{newest.last:.0f}",
        }
        states.append(
            WorkloadState(
                service, workload, reason, first.first,
                sum(event.count for event in recent or group), newest.message,
                attributes=tuple((key, text) for key, text in attributes.items() if text),
            )
        )  # fmt: skip
    return states


def _reason(event: ClusterEvent) -> str:
    if event.reason == "Killing" and not event.warning and not _FAILED.search(event.message):
        return STOPPING
    return event.reason
