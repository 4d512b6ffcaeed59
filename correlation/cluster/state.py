"""From the objects of a cluster to what is wrong with the workloads of each service. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from correlation.cluster.objects import (
    Object,
    ServiceNames,
    condition,
    created_at,
    epoch,
    labels_of,
    name_of,
    namespace_of,
    owner,
    part,
    rows,
    workload_of,
)
from correlation.telemetry import WorkloadState

RUNNING = "Running"
"""The reason of a workload that has nothing wrong: it answered, and that is news too."""

STUCK_WAITING = frozenset({
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName",
    "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError",
    "RunContainerError", "PostStartHookError", "ContainerCannotRun",
})  # fmt: skip
SLOW_WAITING = frozenset({"ContainerCreating", "PodInitializing"})
SLOW_SECONDS = 60.0
"""A container that is being created for longer than this is stuck."""
SETTLING_SECONDS = 15.0
"""A pod may be unready this long after it was scheduled."""

BACK_OFF_RESET_SECONDS = 600.0
"""The kubelet forgets earlier crashes once a container ran this long."""
_FIRST_BACK_OFF_SECONDS, _LONGEST_BACK_OFF_SECONDS = 10.0, 300.0
_BACK_OFF = re.compile(r"back-off (?:(?P<minutes>\d+)m)?(?P<seconds>\d+)s")


@dataclass(frozen=True)
class Trouble:
    """One thing wrong with one pod; `at` is when it began, `count` how often it happened."""

    reason: str
    at: float
    count: int = 1
    message: str = ""
    container: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class PlacedPod:
    """A pod with the service and workload it belongs to, and what is wrong with it."""

    pod: Object
    service: str
    workload: str
    troubles: tuple[Trouble, ...]

    @property
    def node(self) -> str:
        return str(part(self.pod, "spec").get("nodeName") or "")


def place(pods: Iterable[Object], names: ServiceNames, as_of: float) -> tuple[PlacedPod, ...]:
    """Every pod of a service, judged as it stands at `as_of` (epoch seconds)."""
    placed = []
    for pod in pods:
        workload = workload_of(pod)
        service = names.service_of(namespace_of(pod), labels_of(pod), workload)
        if service is not None:
            placed.append(PlacedPod(pod, service, workload, tuple(troubles(pod, as_of))))
    return tuple(placed)


def pod_states(placed: Sequence[PlacedPod], look_back: float) -> list[WorkloadState]:
    """One state for each workload and reason; a workload without troubles is RUNNING.

    It began when the first of its pods got into that trouble since `look_back`; where all got
    into it before, it is old, and began with the last of them.
    """
    found: dict[tuple[str, str, str, str], list[tuple[PlacedPod, Trouble]]] = {}
    healthy: dict[tuple[str, str, str], list[PlacedPod]] = {}
    for pod in placed:
        place_of = (pod.service, namespace_of(pod.pod), pod.workload)
        healthy.setdefault(place_of, []).append(pod)
        for trouble in pod.troubles:
            found.setdefault((*place_of, trouble.reason), []).append((pod, trouble))
    states = [
        _folded(service, namespace, workload, cases, look_back)
        for (service, namespace, workload, _), cases in found.items()
    ]
    for (service, namespace, workload), pods in healthy.items():
        if not any(pod.troubles for pod in pods):
            since = max(created_at(pod.pod) for pod in pods)
            message = f"{len(pods)} of {len(pods)} pods without trouble"
            states.append(
                WorkloadState(
                    service, workload, RUNNING, since, len(pods), message,
                    attributes=(("namespace", namespace),),
                )
            )  # fmt: skip
    return states


def _folded(
    service: str,
    namespace: str,
    workload: str,
    cases: Sequence[tuple[PlacedPod, Trouble]],
    look_back: float,
) -> WorkloadState:
    cases = sorted(cases, key=lambda case: (case[1].at, name_of(case[0].pod), case[1].container))
    recent = [case for case in cases if case[1].at >= look_back]
    pod, first = recent[0] if recent else cases[-1]
    pods = list(dict.fromkeys(name_of(one.pod) for one, _ in cases))
    nodes = sorted({one.node for one, _ in cases if one.node})
    attributes = {
        "namespace": namespace,
        "pod": name_of(pod.pod),
        "pods": ", ".join(pods[:5]) + (f" and {len(pods) - 5} more" if len(pods) > 5 else ""),
        "container": first.container,
        "exit_code": "" if first.exit_code is None else str(first.exit_code),
        "node": ", ".join(nodes[:5]),
        "memory_limit": _memory_limit(pod.pod, first.container)
        if first.reason == "OOMKilled"
        else "",
    }
    count = sum(trouble.count for _, trouble in recent or cases)
    return WorkloadState(
        service, workload, first.reason, first.at, count, first.message,
        attributes=tuple((key, text) for key, text in attributes.items() if text),
    )  # fmt: skip


def troubles(pod: Object, as_of: float) -> list[Trouble]:
    """What is wrong with a pod; nothing for one that is done, or being deleted."""
    status = part(pod, "status")
    phase = status.get("phase")
    started = epoch(status.get("startTime")) or created_at(pod)
    if phase == "Succeeded" or pod["metadata"].get("deletionTimestamp"):
        return []
    found = []
    for container in _containers(pod):
        found += _container_troubles(container, started, as_of)
    if phase == "Failed" and status.get("reason"):
        ended = [trouble.at for trouble in found]
        disrupted = epoch(condition(pod, "DisruptionTarget").get("lastTransitionTime"))
        at = disrupted or max(ended, default=started)
        message = str(status.get("message") or "")
        return [Trouble(str(status["reason"]), at, message=message)]
    unscheduled = condition(pod, "PodScheduled")
    if phase == "Pending" and unscheduled.get("status") == "False":
        at = epoch(unscheduled.get("lastTransitionTime")) or created_at(pod)
        reason = str(unscheduled.get("reason") or "Unschedulable")
        return [*found, Trouble(reason, at, message=str(unscheduled.get("message") or ""))]
    ready = condition(pod, "Ready")
    if phase == "Running" and ready.get("status") == "False" and not _stuck(found):
        at = epoch(ready.get("lastTransitionTime")) or started
        if as_of - started >= SETTLING_SECONDS:
            found.append(Trouble("NotReady", at, message=str(ready.get("message") or "")))
    return found


def _stuck(found: Sequence[Trouble]) -> bool:
    """Whether a waiting container already says why the pod is not ready."""
    return any(trouble.reason in STUCK_WAITING | SLOW_WAITING for trouble in found)


def _containers(pod: Object) -> list[Object]:
    return rows(pod, "status", "initContainerStatuses") + rows(pod, "status", "containerStatuses")


def _container_troubles(container: Object, started: float, as_of: float) -> list[Trouble]:
    name = str(container.get("name") or "")
    waiting = part(container, "state", "waiting")
    ended = part(container, "state", "terminated")
    before = part(container, "lastState", "terminated")
    restarts = int(container.get("restartCount") or 0)
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    found = []
    crashes, began = streak(ended or before, restarts, message, started)
    if reason in STUCK_WAITING:
        at = began if before else started
        count = crashes if reason == "CrashLoopBackOff" else 1
        found.append(Trouble(reason, at, max(count, 1), message, name, _exit_code(before)))
    elif reason in SLOW_WAITING and as_of - started >= SLOW_SECONDS and not before:
        found.append(Trouble(reason, started, 1, message, name))
    last = ended or before
    if last and _exit_code(last) not in (0, None):
        died = str(last.get("reason") or "Error")
        said = str(last.get("message") or "") or f"exit code {_exit_code(last)}"
        found.append(Trouble(died, began, max(crashes, 1), said, name, _exit_code(last)))
    return found


def streak(last: Object, restarts: int, waiting: str, started: float) -> tuple[int, float]:
    """How many crashes make up the current run of them, and about when it began (epoch seconds).

    Kubernetes keeps only the last one. The waits between crashes double from 10 to 300 s (the
    waiting message names the current one) and start over once a container ran 10 minutes; each
    run is taken to be as long as the last.
    """
    ended = epoch(last.get("finishedAt"))
    if ended is None:
        return restarts, started
    ran = max(0.0, ended - (epoch(last.get("startedAt")) or ended))
    crashes = max(restarts, 1)
    if ran >= BACK_OFF_RESET_SECONDS:
        return 1, ended
    if named := _BACK_OFF.search(waiting):
        wait = 60.0 * int(named["minutes"] or 0) + int(named["seconds"])
        if _FIRST_BACK_OFF_SECONDS <= wait < _LONGEST_BACK_OFF_SECONDS:
            crashes = min(crashes, 1 + round(math.log2(wait / _FIRST_BACK_OFF_SECONDS)))
    doubling = min(crashes - 1, 5)
    waits = _FIRST_BACK_OFF_SECONDS * (2.0**doubling - 1.0)
    waits += _LONGEST_BACK_OFF_SECONDS * (crashes - 1 - doubling)
    return crashes, max(ended - waits - ran * (crashes - 1), started)


def _exit_code(terminated: Object) -> int | None:
    code = terminated.get("exitCode")
    return code if isinstance(code, int) else None


def _memory_limit(pod: Object, container: str) -> str:
    for spec in rows(pod, "spec", "containers"):
        if spec.get("name") == container:
            return str(part(spec, "resources", "limits").get("memory") or "")
    return ""


def owner_key(item: Object) -> tuple[str, str, str]:
    """(namespace, kind, name) of the controller."""
    return (namespace_of(item), *owner(item))
