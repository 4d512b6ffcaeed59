"""What a cluster has run out of: nodes under pressure, autoscalers at their maximum. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from correlation.cluster.objects import (
    Object,
    condition,
    created_at,
    epoch,
    name_of,
    namespace_of,
    part,
)
from correlation.cluster.state import PlacedPod
from correlation.telemetry import WorkloadState

PRESSURE = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


def node_states(nodes: Iterable[Object], placed: Sequence[PlacedPod]) -> list[WorkloadState]:
    """Nodes that are not ready or under pressure, for each service with pods on them."""
    hosted: dict[str, dict[str, int]] = {}
    for pod in placed:
        services = hosted.setdefault(pod.node, {})
        services[pod.service] = services.get(pod.service, 0) + 1
    totals: dict[str, int] = {}
    for services in hosted.values():
        for service, count in services.items():
            totals[service] = totals.get(service, 0) + count
    states = []
    for node in nodes:
        name = name_of(node)
        for reason, row in _node_reasons(node):
            at = epoch(row.get("lastTransitionTime")) or created_at(node)
            for service, count in sorted(hosted.get(name, {}).items()):
                said = str(row.get("message") or row.get("reason") or reason)
                message = f"{said}; {count} of {totals[service]} pods of {service} run there"
                states.append(
                    WorkloadState(
                        service, name, reason, at, 1, message, attributes=(("node", name),)
                    )
                )
    return states


def _node_reasons(node: Object) -> list[tuple[str, Object]]:
    ready = condition(node, "Ready")
    found = [("NodeNotReady", ready)] if ready and ready.get("status") != "True" else []
    found += [
        (kind, row) for kind in PRESSURE if (row := condition(node, kind)).get("status") == "True"
    ]
    return found


def autoscaler_states(
    autoscalers: Iterable[Object], service_at: Callable[[str, str], str | None]
) -> list[WorkloadState]:
    """Autoscalers that want more pods than they may have; `service_at(namespace, workload)`."""
    states = []
    for one in autoscalers:
        status, most = part(one, "status"), part(one, "spec").get("maxReplicas")
        limited = condition(one, "ScalingLimited")
        too_many = limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas"
        current = status.get("currentReplicas")
        full = isinstance(current, int) and isinstance(most, int) and current >= most
        fixed = part(one, "spec").get("minReplicas") == most
        if not (too_many or full) or (fixed and not too_many):
            continue
        workload = str(part(one, "spec", "scaleTargetRef").get("name") or name_of(one))
        service = service_at(namespace_of(one), workload)
        at = epoch(limited.get("lastTransitionTime")) if too_many else None
        at = at or epoch(status.get("lastScaleTime")) or created_at(one)
        if service is not None:
            message = str(limited.get("message") or f"{current} of at most {most} replicas")
            attributes = (("namespace", namespace_of(one)), ("autoscaler", name_of(one)))
            states.append(
                WorkloadState(
                    service, workload, "AutoscalerAtMaximum", at, 1, message, attributes=attributes
                )
            )
    return states
