"""What was changed in a cluster: rollouts from ReplicaSets and pods, scaling from events. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence

from correlation.cluster.events import ClusterEvent
from correlation.cluster.objects import (
    Object,
    ServiceNames,
    created_at,
    deployment_of,
    labels_of,
    name_of,
    namespace_of,
    owner,
    part,
    rows,
)
from correlation.cluster.pod_templates import differences, kind_of_change, summary
from correlation.cluster.state import PlacedPod, owner_key
from correlation.telemetry import Change, WorkloadState

REVISIONS = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")
EARLIER_REVISIONS = "deployment.kubernetes.io/revision-history"
"""On a ReplicaSet that was rolled back to: the revisions it had before."""
CAUSE = "kubernetes.io/change-cause"

KEPT_REVISIONS = 3
STUCK_SECONDS = 600.0
"""Kubernetes' own default for `progressDeadlineSeconds`."""
_ROLLOUT_SECONDS = 900.0
"""Scaling this close to that of another ReplicaSet of the Deployment is a rollout's."""
_SCALED = re.compile(
    r"Scaled (?P<way>up|down) replica set (?P<name>\S+) (?:from (?P<old>\d+) )?to (?P<new>\d+)"
)


def newest_revisions(replica_sets: Iterable[Object]) -> list[Object]:
    """The newest KEPT_REVISIONS of each Deployment, and whatever else still has pods."""
    kept = []
    for group in _by_owner(replica_sets).values():
        for number, one in enumerate(group):
            if number < KEPT_REVISIONS or part(one, "spec").get("replicas"):
                kept.append(one)
    return kept


def rollouts(
    replica_sets: Iterable[Object],
    placed: Sequence[PlacedPod],
    events: Sequence[ClusterEvent],
    names: ServiceNames,
    since: float,
    until: float,
) -> list[Change]:
    """Deploys, configuration changes and scalings between `since` and `until` (epoch seconds)."""
    found = []
    for group in _by_owner(replica_sets).values():
        service = service_of_set(group[0], names)
        if service is None:
            continue
        for new in group:
            at, before = _rolled_out_at(new, placed, events), _predecessor(new, group)
            if before and since <= at <= until:
                found.append(_rollout(service, new, *before, at))
        found += _scalings(service, group, placed, events, since, until)
    return found + _set_rollouts(placed, since, until)


def stuck_rollouts(
    replica_sets: Iterable[Object], names: ServiceNames, as_of: float
) -> list[WorkloadState]:
    """Rollouts older than STUCK_SECONDS whose new pods are not ready and whose old ones stay."""
    states = []
    for group in _by_owner(replica_sets).values():
        new, service = group[0], service_of_set(group[0], names)
        wanted = part(new, "spec").get("replicas") or 0
        ready = part(new, "status").get("readyReplicas") or 0
        old = sum(part(one, "status").get("replicas") or 0 for one in group[1:])
        at = created_at(new)
        if service is None or not (ready < wanted and old and as_of - at >= STUCK_SECONDS):
            continue
        message = f"{ready} of {wanted} new pods are ready, {old} old ones still run"
        attributes = (("namespace", namespace_of(new)), ("replicaset", name_of(new)))
        workload = _deployment(new)
        states.append(
            WorkloadState(service, workload, "RolloutStuck", at, 1, message, attributes=attributes)
        )
    return states


def service_of_set(replica_set: Object, names: ServiceNames) -> str | None:
    labels = labels_of(replica_set) | {
        key: str(value)
        for key, value in part(replica_set, "spec", "template", "metadata", "labels").items()
    }
    return names.service_of(namespace_of(replica_set), labels, _deployment(replica_set))


def _deployment(replica_set: Object) -> str:
    return owner(replica_set)[1] or deployment_of(name_of(replica_set), labels_of(replica_set))


def _by_owner(replica_sets: Iterable[Object]) -> dict[tuple[str, str, str], list[Object]]:
    """ReplicaSets by Deployment, the highest revision first; those of nobody are left out."""
    groups: dict[tuple[str, str, str], list[Object]] = {}
    for one in replica_sets:
        if owner(one)[1] and _revision(one) is not None:
            groups.setdefault(owner_key(one), []).append(one)
    for group in groups.values():
        group.sort(key=lambda one: (_revision(one) or 0, created_at(one)), reverse=True)
    return groups


def _annotations(item: Object) -> Object:
    return part(item, "metadata", "annotations")


def _revision(replica_set: Object) -> int | None:
    texts = [str(_annotations(replica_set).get(key) or "") for key in REVISIONS]
    return next((int(text) for text in texts if text.isdecimal()), None)


def _predecessor(new: Object, group: Sequence[Object]) -> tuple[Object, int] | None:
    """What ran before a revision, and the number it had: it may have been rolled back to since."""
    own = _revision(new) or 0
    earlier = [
        (number, one)
        for one in group
        if one is not new
        for number in {_revision(one) or 0, *_earlier_revisions(one)}
        if number < own
    ]
    if not earlier:
        return None
    number, old = max(earlier, key=lambda pair: pair[0])
    return old, number


def _earlier_revisions(replica_set: Object) -> list[int]:
    text = str(_annotations(replica_set).get(EARLIER_REVISIONS) or "")
    return [int(number) for number in text.split(",") if number.strip().isdecimal()]


def _rolled_out_at(
    replica_set: Object, placed: Sequence[PlacedPod], events: Sequence[ClusterEvent]
) -> float:
    """When it began to take over: its creation, or for one rolled back to, its first new pod."""
    if not _annotations(replica_set).get(EARLIER_REVISIONS):
        return created_at(replica_set)
    name, namespace = name_of(replica_set), namespace_of(replica_set)
    scaled = [
        event.first
        for event in events
        if event.reason == "ScalingReplicaSet"
        and event.namespace == namespace
        and (said := _SCALED.search(event.message))
        and (said["way"], said["name"]) == ("up", name)
    ]
    pods = [
        created_at(one.pod)
        for one in placed
        if owner_key(one.pod) == (namespace, "ReplicaSet", name)
    ]
    return min(scaled + pods, default=created_at(replica_set))


def _rollout(service: str, new: Object, old: Object, number: int, at: float) -> Change:
    uid, revision = str(new["metadata"].get("uid") or name_of(new)), _revision(new)
    again = bool(_annotations(new).get(EARLIER_REVISIONS))
    before, after = part(old, "spec", "template"), part(new, "spec", "template")
    title = f"{summary(before, after)} (revision {revision})"
    title = f"rolled back: {title}" if again else title
    cause = str(_annotations(new).get(CAUSE) or "")
    return Change(
        id=change_id(uid, str(revision) if again else ""),
        service=service,
        kind=kind_of_change(before, after),
        at=at,
        title=f"{title}: {cause}"[:500] if cause else title[:500],
        diff=differences(before, after, f"revision {number}", f"revision {revision}"),
        ref=f"{uid}/{revision}" if again else uid,
    )


def change_id(uid: str, which: str = "") -> str:
    """The same object's same change has the same id in every analysis."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"kubernetes:{uid}:{which}"))


def _scalings(
    service: str,
    group: Sequence[Object],
    placed: Sequence[PlacedPod],
    events: Sequence[ClusterEvent],
    since: float,
    until: float,
) -> list[Change]:
    """Changes of the number of pods alone: those of the newest ReplicaSet outside a rollout."""
    own = {(namespace_of(one), name_of(one)): one for one in group}
    scaled = [
        (event, said, own[event.namespace, said["name"]])
        for event in events
        if event.reason == "ScalingReplicaSet"
        and (said := _SCALED.search(event.message))
        and (event.namespace, said["name"]) in own
    ]
    began = _rolled_out_at(group[0], placed, events)
    found = []
    for event, said, one in scaled:
        rolling = abs(event.last - began) < _ROLLOUT_SECONDS or any(
            other is not one and abs(event.last - near.last) < _ROLLOUT_SECONDS
            for near, _, other in scaled
        )
        if one is not group[0] or rolling or not since <= event.last <= until:
            continue
        uid = str(one["metadata"].get("uid") or name_of(one))
        which = f"scale/{event.last:.0f}"
        from_what = f"{said['old']} -> " if said["old"] else "to "
        title = f"scaled {said['way']}: {from_what}{said['new']} pods"
        found.append(
            Change(change_id(uid, which), service, "scale", event.last, title, ref=f"{uid}/{which}")
        )
    return found


def _set_rollouts(placed: Sequence[PlacedPod], since: float, until: float) -> list[Change]:
    """Rollouts of StatefulSets and DaemonSets while pods of two revisions stand side by side."""
    groups: dict[tuple[str, str, str], list[PlacedPod]] = {}
    for one in placed:
        if owner(one.pod)[0] in ("StatefulSet", "DaemonSet"):
            groups.setdefault(owner_key(one.pod), []).append(one)
    found = []
    for (namespace, kind, workload), pods in groups.items():
        pods.sort(key=lambda one: created_at(one.pod))
        new_hash = labels_of(pods[-1].pod).get("controller-revision-hash", "")
        new = [one for one in pods if _hash(one) == new_hash]
        old = [one for one in pods if _hash(one) != new_hash]
        at = created_at(new[0].pod)
        if not new_hash or not old or not since <= at <= until:
            continue
        before, after = _template(old[-1].pod), _template(new[-1].pod)
        title = f"{summary(before, after)} ({kind} {workload}, {len(new)} of {len(pods)} pods)"
        ref = f"{namespace}/{kind}/{workload}/{new_hash}"
        found.append(
            Change(
                change_id(ref), new[0].service, kind_of_change(before, after), at, title[:500],
                differences(before, after, _hash(old[-1]), new_hash), ref=ref[:200],
            )
        )  # fmt: skip
    return found


def _hash(placed: PlacedPod) -> str:
    return labels_of(placed.pod).get("controller-revision-hash", "")


def _template(pod: Object) -> Object:
    spec = part(pod, "spec")
    return {"spec": {key: rows(spec, key) for key in ("initContainers", "containers")}}
