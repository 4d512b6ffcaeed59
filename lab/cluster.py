"""The cluster's side: scheduling, crashes with back-off, rollouts, and the events they leave."""

from __future__ import annotations

import random
import uuid
from collections import deque
from dataclasses import dataclass

from lab import stacks
from lab.logbook import LogBook
from lab.meters import SeriesTable
from lab.pods import Pod, Release, Termination, Workload, pod_name, template_hash
from lab.processes import EventLoop, Process
from lab.world import NAMESPACE, SERVICES

RESTART_SECONDS = 0.5
START_UP_SECONDS = 1.5
UNLISTED_AFTER_SECONDS = 1.0
# Kubernetes doubles up to 300 s; the lab stops at 40 s, so that a demo shows more than one loop.
BACK_OFF_SECONDS = (0.0, 10.0, 20.0, 40.0)
STREAK_FORGOTTEN_AFTER_SECONDS = 300.0
ROLLOUT_STEP_SECONDS = 2.0
OUT_OF_MEMORY = 137
DAY_SECONDS = 86_400.0


@dataclass
class Event:
    """One Kubernetes event; times in epoch seconds."""

    kind: str
    name: str
    uid: str
    reason: str
    message: str
    type: str
    component: str
    host: str
    first_at: float
    last_at: float
    count: int
    number: int


class Cluster:
    def __init__(
        self, loop: EventLoop, rng: random.Random, table: SeriesTable, logs: LogBook
    ) -> None:
        self.loop = loop
        self.logs = logs
        self.events: deque[Event] = deque(maxlen=2000)
        self.resource_version = 1000
        self._rng = rng
        self._table = table
        self._numbers = 0
        self.workloads: dict[str, Workload] = {}
        for spec in SERVICES.values():
            age = DAY_SECONDS * rng.uniform(2.0, 6.0)
            workload = Workload(spec)
            self.workloads[spec.name] = workload
            workload.rollout_number = rng.randrange(4, 12)
            revision = workload.rollout_number
            workload.releases.append(
                Release(
                    version=spec.version,
                    template_hash=template_hash(spec.name, spec.version, revision),
                    revision=revision,
                    created_at=loop.now - age,
                    change_cause=f"{spec.name} {spec.version}",
                )
            )
            for _ in range(spec.replicas):
                pod = self._create_pod(workload, workload.releases[0], loop.now - age)
                pod.ready_changed_at = loop.now - age + 5.0
            workload.refresh_endpoints()

    def uid(self, *parts: str) -> str:
        """A stable object id."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("lab", NAMESPACE, *parts))))

    def _create_pod(self, workload: Workload, release: Release, at: float) -> Pod:
        self._numbers += 1
        name = pod_name(self._rng, workload.name, release)
        pod = Pod(self.loop, self._table, workload, name, release, at, self._numbers)
        workload.pods.append(pod)
        return pod

    def record(
        self, kind: str, name: str, reason: str, message: str, warning: bool, component: str,
        host: str = "",
    ) -> None:  # fmt: skip
        """Note an event; the same one again raises its count."""
        now = self.loop.now
        self.resource_version += 1
        for event in self.events:
            if (event.name, event.reason, event.message) == (name, reason, message):
                event.count += 1
                event.last_at = now
                return
        self.events.append(
            Event(
                kind, name, self.uid(kind, name), reason, message,
                "Warning" if warning else "Normal", component, host, now, now, 1,
                self.resource_version,
            )
        )  # fmt: skip

    def _pod_event(self, pod: Pod, reason: str, message: str, warning: bool = False) -> None:
        self.record("Pod", pod.name, reason, message, warning, "kubelet", pod.node)

    def crash(self, pod: Pod, exit_code: int = 1, reason: str = "Error") -> None:
        """End a pod's container; it comes back after the back-off."""
        now = self.loop.now
        if now - pod.started_at > STREAK_FORGOTTEN_AFTER_SECONDS:
            pod.crash_streak = 0
        pod.last_termination = Termination(exit_code, reason, pod.started_at, now)
        if exit_code == OUT_OF_MEMORY:
            self.record("Node", pod.node, "SystemOOM", f"System OOM encountered in {pod.name}",
                        True, "kubelet", pod.node)  # fmt: skip
        else:
            message, stack = stacks.crash(pod.spec)
            self.logs.write(
                pod, "error", "fatal: cannot continue", stack, error=message, exit_code=exit_code
            )
        pod.stop()
        step = min(pod.crash_streak, len(BACK_OFF_SECONDS) - 1)
        pod.back_off_seconds = BACK_OFF_SECONDS[step]
        pod.crash_streak += 1
        if pod.back_off_seconds:
            self._pod_event(
                pod, "BackOff",
                f"Back-off restarting failed container {pod.spec.name} in pod "
                f"{pod.name}_{NAMESPACE}({self.uid('Pod', pod.name)})", True,
            )  # fmt: skip
        self.loop.spawn(self._restart(pod))

    def _restart(self, pod: Pod) -> Process[None]:
        yield self.loop.now + UNLISTED_AFTER_SECONDS
        pod.workload.refresh_endpoints()
        yield self.loop.now + pod.back_off_seconds + RESTART_SECONDS
        if pod.deleted:
            return
        pod.restarts += 1
        pod.start(self.loop.now)
        self._pod_event(pod, "Started", f"Started container {pod.spec.name}")
        self.logs.write(pod, "info", "starting", version=pod.release.version)
        yield from self._come_up(pod)

    def _come_up(self, pod: Pod) -> Process[None]:
        epoch = pod.epoch
        after = pod.workload.conditions.crash_after_seconds
        if after is not None:
            self.loop.spawn(self.crash_later(pod, after * self._rng.uniform(0.7, 1.3)))
        yield self.loop.now + START_UP_SECONDS
        if pod.epoch == epoch and not pod.deleted:
            pod.become_ready()
            pod.workload.refresh_endpoints()

    def crash_later(self, pod: Pod, seconds: float) -> Process[None]:
        """Crash this life of a pod after some seconds, if the condition still holds then."""
        epoch = pod.epoch
        yield self.loop.now + seconds
        alive = pod.epoch == epoch and not pod.deleted
        if alive and pod.workload.conditions.crash_after_seconds is not None:
            self.crash(pod)

    def roll_out(
        self, workload: Workload, version: str, change_cause: str, error_probability: float = 0.0
    ) -> Release:
        """Replace the pods one by one by a new version; returns its release at once."""
        workload.rollout_number += 1
        revision = workload.rollout_number
        known = next((r for r in workload.releases if r.version == version), None)
        release = Release(
            version=version,
            template_hash=known.template_hash
            if known
            else template_hash(workload.name, version, revision),
            revision=revision,
            created_at=known.created_at if known else self.loop.now,
            change_cause=change_cause,
            error_probability=error_probability,
            earlier_revisions=(*known.earlier_revisions, known.revision) if known else (),
        )
        if known:
            workload.releases.remove(known)
        workload.releases.append(release)
        self.loop.spawn(self._replace_pods(workload, release))
        return release

    def _replace_pods(self, workload: Workload, release: Release) -> Process[None]:
        old = [pod for pod in workload.pods if pod.release.revision != release.revision]
        total = workload.spec.replicas
        for number, leaving in enumerate(old):
            if workload.rollout_number != release.revision:
                return  # a newer rollout took over
            self.record(
                "Deployment", workload.name, "ScalingReplicaSet",
                f"Scaled up replica set {workload.name}-{release.template_hash} "
                f"from {number} to {min(number + 1, total)}", False, "deployment-controller",
            )  # fmt: skip
            pod = self._create_pod(workload, release, self.loop.now)
            pod.start(self.loop.now)
            self._pod_event(pod, "Started", f"Started container {pod.spec.name}")
            self.logs.write(pod, "info", "starting", version=release.version)
            yield from self._come_up(pod)
            self.record(
                "Deployment", workload.name, "ScalingReplicaSet",
                f"Scaled down replica set {workload.name}-{leaving.release.template_hash} "
                f"from {total - number} to {total - number - 1}", False,
                "deployment-controller",
            )  # fmt: skip
            self._delete(leaving)
            yield self.loop.now + ROLLOUT_STEP_SECONDS

    def _delete(self, pod: Pod) -> None:
        """Take a pod out of service; requests in flight are let finish."""
        pod.deleted = True
        pod.ready = False
        pod.running = False
        self._pod_event(pod, "Killing", f"Stopping container {pod.spec.name}")
        self.logs.write(pod, "info", "shutting down", version=pod.release.version)
        pod.workload.pods.remove(pod)
        pod.workload.refresh_endpoints()

    def housekeeping(self) -> None:
        """Book CPU and memory of every pod; kill what outgrew its limit."""
        for workload in self.workloads.values():
            for pod in list(workload.pods):
                if not pod.running:
                    continue
                pod.account()
                if pod.memory_bytes >= 0.995 * pod.spec.memory_limit_bytes:
                    self.crash(pod, OUT_OF_MEMORY, "OOMKilled")
