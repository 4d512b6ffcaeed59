"""One reading of a cluster, put together: whose object is whose, what is wrong, what changed. Pure.

Pods, events and ReplicaSets are read apart and only make sense together: an event names a pod,
and only the pod's labels, or its ReplicaSet's, say which service it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from correlation.cluster.events import (
    AUTOSCALER_KIND,
    NODE_KIND,
    ClusterEvent,
    event_states,
    read_all,
)
from correlation.cluster.objects import (
    Object,
    ServiceNames,
    name_of,
    namespace_of,
    owner,
    replica_set_of_pod,
)
from correlation.cluster.rollouts import rollouts, service_of_set, stuck_rollouts
from correlation.cluster.state import PlacedPod, place, pod_states
from correlation.sources import Scope, windows
from correlation.telemetry import Change, WorkloadState

OLD_SECONDS = 900.0
"""What began longer than this before the incident's window is old news."""
CHANGES_BEFORE_SECONDS = 3600.0

WORKLOAD_KINDS = frozenset({
    "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Rollout", AUTOSCALER_KIND,
})  # fmt: skip
_TEMPLATE_HASH = re.compile(r"-[a-z0-9]{6,10}$")


class ClusterView:
    """What pods, events and ReplicaSets say about a scope; any of them may be missing."""

    def __init__(
        self,
        scope: Scope,
        names: ServiceNames,
        pods: Sequence[Object],
        events: Sequence[Object],
        replica_sets: Sequence[Object],
    ) -> None:
        self._scope = scope
        self._names = names
        self._sets = replica_sets
        self.look_back = windows(scope).window[0] - OLD_SECONDS
        self.changes_since = scope.started_at - CHANGES_BEFORE_SECONDS
        self.placed = place(pods, names, scope.as_of)
        read = read_all(events, min(self.look_back, self.changes_since))
        self._events = [event for event in read if event.first <= scope.as_of]
        self._pods = {(namespace_of(pod), name_of(pod)): None for pod in pods} | {
            (namespace_of(one.pod), name_of(one.pod)): one for one in self.placed
        }
        self._services_by_set = {
            (namespace_of(one), name_of(one)): (service_of_set(one, names), owner(one)[1])
            for one in replica_sets
        }
        self._workloads = {
            (namespace_of(one.pod), one.workload): one.service for one in self.placed
        }

    def states(self) -> list[WorkloadState]:
        recent = [event for event in self._events if event.last >= self.look_back]
        return [
            *pod_states(self.placed, self.look_back),
            *event_states(recent, self.look_back, self._belongs_to),
            *stuck_rollouts(self._sets, self._names, self._scope.as_of),
        ]

    def changes(self) -> list[Change]:
        return rollouts(
            self._sets,
            self.placed,
            self._events,
            self._names,
            self.changes_since,
            self._scope.as_of,
        )

    def notes(self) -> tuple[str, ...]:
        """What the reader should know about how services were found."""
        places = [(one.service, namespace_of(one.pod)) for one in self.placed]
        spread = self._names.spread(places)
        target = self._scope.target
        if not target or any(service == target for service, _ in places):
            return spread
        unseen = (
            f"no pods of {target} were found: its namespace and label selector can be given "
            "in the catalogue"
        )
        return (*spread, unseen)

    def namespaces_in_trouble(self) -> tuple[str, ...]:
        """Where pods of the scope's services have got into trouble since `look_back`."""
        return tuple(
            sorted({
                namespace_of(one.pod)
                for one in self.placed
                if self._names.in_scope(one.service)
                and any(self.look_back <= trouble.at for trouble in one.troubles)
            })
        )  # fmt: skip

    def mentions(self, kind: str) -> bool:
        """Whether an event since `look_back` is about an object of that kind."""
        return any(event.kind == kind and event.last >= self.look_back for event in self._events)

    def service_at(self, namespace: str, workload: str) -> str | None:
        known = self._workloads.get((namespace, workload))
        return known or self._names.service_of(namespace, {}, workload)

    def _belongs_to(self, event: ClusterEvent) -> list[tuple[str, str]]:
        """The (service, workload)s an event speaks of."""
        if event.kind == NODE_KIND:
            return sorted({
                (one.service, event.name)
                for one in self.placed
                if one.node == event.name and (one.troubles or event.reason.startswith("Node"))
            })  # fmt: skip
        if event.kind in ("Pod", "ReplicaSet"):
            service, workload = self._behind(event)
        elif event.kind in WORKLOAD_KINDS:
            service, workload = self.service_at(event.namespace, event.name), event.name
        else:
            service, workload = self._names.known_at(event.namespace, event.name), event.name
        return [] if service is None else [(service, workload)]

    def _behind(self, event: ClusterEvent) -> tuple[str | None, str]:
        """The service and workload of a pod or ReplicaSet, also of one that is gone."""
        where = (event.namespace, event.name)
        if event.kind == "Pod" and where in self._pods:
            placed: PlacedPod | None = self._pods[where]
            return (placed.service, placed.workload) if placed else (None, "")
        name = event.name if event.kind == "ReplicaSet" else replica_set_of_pod(event.name)
        if (event.namespace, name) in self._services_by_set:
            return self._services_by_set[event.namespace, name]
        for workload in (name, _TEMPLATE_HASH.sub("", name)):
            if known := self._workloads.get((event.namespace, workload)):
                return known, workload
        workload = _TEMPLATE_HASH.sub("", name)
        return self._names.service_of(event.namespace, {}, workload), workload
