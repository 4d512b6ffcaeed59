"""What Kubernetes objects say of themselves: times, owners, and the service they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from correlation.cluster.label_selector import selector
from correlation.sources import FoundAs, Scope

Object = dict[str, Any]

SERVICE_LABELS = (
    "app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/instance", "service", "name",
)  # fmt: skip
"""Where a service's name stands by custom, the most common custom first."""

_FRACTION = re.compile(r"\.\d+")
_CRON_RUN = re.compile(r"-\d{8,}$")
_POD_SUFFIX = re.compile(r"-([a-z0-9]{5}|\d+)$")


def epoch(text: object) -> float | None:
    """Kubernetes' Time or MicroTime as epoch seconds; None for null and what is no time."""
    if not isinstance(text, str) or not text:
        return None
    fraction = _FRACTION.search(text)
    try:
        whole = datetime.fromisoformat(_FRACTION.sub("", text).replace("Z", "+00:00"))
    except ValueError:
        return None
    whole = whole if whole.tzinfo else whole.replace(tzinfo=UTC)
    return whole.timestamp() + (float(f"0{fraction.group()}") if fraction else 0.0)


def part(item: object, *path: str) -> Object:
    """The mapping at `path`; empty when it is missing, null or something else."""
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item if isinstance(item, dict) else {}


def rows(item: object, *path: str) -> list[Object]:
    """The mappings of the list at `path`; empty when it is missing or null."""
    found = part(item, *path[:-1]).get(path[-1])
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def name_of(item: Object) -> str:
    return str(item["metadata"]["name"])


def namespace_of(item: Object) -> str:
    return str(item["metadata"].get("namespace") or "")


def labels_of(item: Object) -> dict[str, str]:
    return {key: str(value) for key, value in part(item, "metadata", "labels").items()}


def created_at(item: Object) -> float:
    """Epoch seconds; 0 when it does not say."""
    return epoch(item["metadata"].get("creationTimestamp")) or 0.0


def condition(item: Object, kind: str) -> Object:
    """The status condition of that type; empty when it has none."""
    return next((row for row in rows(item, "status", "conditions") if row.get("type") == kind), {})


def owner(item: Object) -> tuple[str, str]:
    """(kind, name) of the controller, ("", "") for an object that stands alone."""
    owners = rows(item, "metadata", "ownerReferences")
    chosen = next((one for one in owners if one.get("controller")), owners[0] if owners else {})
    return str(chosen.get("kind") or ""), str(chosen.get("name") or "")


def workload_of(pod: Object) -> str:
    """The Deployment, StatefulSet, DaemonSet, CronJob or Job of a pod; else the pod itself."""
    kind, name = owner(pod)
    if kind == "ReplicaSet":
        return deployment_of(name, labels_of(pod))
    if kind == "Job":
        return _CRON_RUN.sub("", name)
    return name or name_of(pod)


def deployment_of(replica_set: str, labels: Mapping[str, str]) -> str:
    """A ReplicaSet is named for its Deployment and the hash of its pods' template."""
    hashed = labels.get("pod-template-hash")
    if hashed and replica_set.endswith(f"-{hashed}"):
        return replica_set.removesuffix(f"-{hashed}")
    return replica_set


class ServiceNames:
    """Which service an object belongs to, as the catalogue and common labels have it."""

    def __init__(self, scope: Scope) -> None:
        """Raises ValueError for a label selector that cannot be read."""
        self._scope = scope
        self._known = {*scope.services, *scope.found_as, *scope.roles}
        self._known |= {name for edge in scope.edges for name in edge}
        self._selectors = [
            (service, found.namespace, selector(found.label_selector))
            for service, found in sorted(scope.found_as.items())
            if found.label_selector
        ]

    def service_of(self, namespace: str, labels: Mapping[str, str], workload: str) -> str | None:
        """The service; one outside the catalogue by its first label, else by its workload.

        None for the namesake of a service that lives in another namespace.
        """
        for service, lives_in, matches in self._selectors:
            if lives_in in ("", namespace) and matches(labels):
                return service
        names = [labels[key] for key in SERVICE_LABELS if labels.get(key)] + [workload]
        claimed = False
        for name in names:
            service = self._scope.service_named(name, "kubernetes")
            if service not in self._known:
                continue
            if self._lives_in(service) in ("", namespace):
                return service
            claimed = True
        return None if claimed else names[0]

    def known_at(self, namespace: str, name: str) -> str | None:
        """The service of the catalogue called `name`; None when there is none in the namespace."""
        service = self._scope.service_named(name, "kubernetes")
        lives_here = self._lives_in(service) in ("", namespace)
        return service if service in self._known and lives_here else None

    def in_scope(self, service: str) -> bool:
        return not self._scope.services or service in self._scope.services

    def spread(self, places: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """A note for each known service that was found in several namespaces and names none."""
        found: dict[str, set[str]] = {}
        for service, namespace in places:
            if service in self._known and not self._lives_in(service):
                found.setdefault(service, set()).add(namespace)
        return tuple(
            f"{service} is in the namespaces {', '.join(sorted(names))}: "
            "name the right one in the catalogue"
            for service, names in sorted(found.items())
            if len(names) > 1
        )

    def _lives_in(self, service: str) -> str:
        return self._scope.found_as.get(service, FoundAs()).namespace


def replica_set_of_pod(pod_name: str) -> str:
    """The ReplicaSet, or set, of a pod that is gone, from its name."""
    return _POD_SUFFIX.sub("", pod_name)
