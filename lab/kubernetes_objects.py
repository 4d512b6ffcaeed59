"""Kubernetes objects of the shop in the API's own JSON shapes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from lab.cluster import Cluster, Event
from lab.pods import Pod, Release, Workload
from lab.world import MEBIBYTE, NAMESPACE

Object = dict[str, Any]
NODES = ("node-1", "node-2", "node-3")
NODE_AGE_SECONDS = 30 * 86_400.0


def rfc3339(at: float) -> str:
    """Kubernetes' metav1.Time: UTC, whole seconds."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _version(*parts: object) -> str:
    """A resourceVersion: opaque, changes with the object."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=3).hexdigest()
    return str(1 + int(digest, 16))


def _image(service: str, version: str) -> str:
    return f"ghcr.example.com/shop/{service}:{version}"


def _container(workload: Workload, version: str) -> Object:
    spec = workload.spec
    limits = {
        "cpu": f"{round(spec.cpu_limit_cores * 1000)}m",
        "memory": f"{round(spec.memory_limit_bytes / MEBIBYTE)}Mi",
    }
    return {
        "name": spec.name,
        "image": _image(spec.name, version),
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": limits, "requests": limits},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


def _pod_labels(workload: Workload, release: Release | None) -> dict[str, str]:
    labels = {"app": workload.name, "app.kubernetes.io/name": workload.name}
    if release is not None:
        labels["pod-template-hash"] = release.template_hash
    return labels


def _pod_spec(workload: Workload, version: str) -> Object:
    return {
        "containers": [_container(workload, version)],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }


def _owner(cluster: Cluster, kind: str, name: str) -> list[Object]:
    return [
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "name": name,
            "uid": cluster.uid(kind, name),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def _state(cluster: Cluster, pod: Pod) -> Object:
    if pod.running:
        return {"running": {"startedAt": rfc3339(pod.started_at)}}
    ended = pod.last_termination
    if pod.back_off_seconds or ended is None:
        return {
            "waiting": {
                "reason": "CrashLoopBackOff",
                "message": f"back-off {pod.back_off_seconds:.0f}s restarting failed "
                f"container={pod.spec.name} pod={pod.name}_{NAMESPACE}"
                f"({cluster.uid('Pod', pod.name)})",
            }
        }
    return {"terminated": _terminated(pod)}


def _terminated(pod: Pod) -> Object:
    ended = pod.last_termination
    assert ended is not None
    digest = hashlib.sha256(f"{pod.name}/{ended.started_at}".encode()).hexdigest()
    return {
        "exitCode": ended.exit_code,
        "reason": ended.reason,
        "startedAt": rfc3339(ended.started_at),
        "finishedAt": rfc3339(ended.finished_at),
        "containerID": f"containerd://{digest}",
    }


def _conditions(pod: Pod) -> list[Object]:
    created, changed = rfc3339(pod.created_at), rfc3339(pod.ready_changed_at)
    rows: list[Object] = [
        {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": created}
        for kind in ("PodScheduled", "Initialized")
    ]
    for kind in ("Ready", "ContainersReady"):
        row: Object = {
            "type": kind,
            "status": "True" if pod.ready else "False",
            "lastProbeTime": None,
            "lastTransitionTime": changed,
        }
        if not pod.ready:
            row["reason"] = "ContainersNotReady"
            row["message"] = f"containers with unready status: [{pod.spec.name}]"
        rows.append(row)
    return rows


def pod_object(cluster: Cluster, pod: Pod) -> Object:
    workload, release = pod.workload, pod.release
    hosts = {name: f"192.0.2.{11 + number}" for number, name in enumerate(NODES)}
    image = _image(workload.name, release.version)
    digest = hashlib.sha256(image.encode()).hexdigest()
    life = hashlib.sha256(f"{pod.name}/{pod.started_at}".encode()).hexdigest()
    return {
        "metadata": {
            "name": pod.name,
            "namespace": NAMESPACE,
            "uid": cluster.uid("Pod", pod.name),
            "resourceVersion": _version(pod.name, pod.restarts, pod.ready, pod.running),
            "generation": 1,
            "creationTimestamp": rfc3339(pod.created_at),
            "labels": _pod_labels(workload, release),
            "ownerReferences": _owner(
                cluster, "ReplicaSet", f"{workload.name}-{release.template_hash}"
            ),
        },
        "spec": {**_pod_spec(workload, release.version), "nodeName": pod.node},
        "status": {
            "phase": "Running",
            "conditions": _conditions(pod),
            "hostIP": hosts[pod.node],
            "hostIPs": [{"ip": hosts[pod.node]}],
            "podIP": pod.ip,
            "podIPs": [{"ip": pod.ip}],
            "startTime": rfc3339(pod.created_at),
            "containerStatuses": [
                {
                    "name": workload.name,
                    "state": _state(cluster, pod),
                    "lastState": {"terminated": _terminated(pod)}
                    if pod.last_termination and (pod.running or pod.back_off_seconds)
                    else {},
                    "ready": pod.ready,
                    "restartCount": pod.restarts,
                    "image": image,
                    "imageID": f"{image.split(':')[0]}@sha256:{digest}",
                    "containerID": f"containerd://{life}",
                    "started": pod.running,
                }
            ],
            "qosClass": "Guaranteed",
        },
    }


def replica_set_object(cluster: Cluster, workload: Workload, release: Release) -> Object:
    name = f"{workload.name}-{release.template_hash}"
    pods = [pod for pod in workload.pods if pod.release.template_hash == release.template_hash]
    ready = sum(pod.ready for pod in pods)
    status: Object = {"replicas": len(pods), "observedGeneration": release.revision}
    if pods:
        status |= {"fullyLabeledReplicas": len(pods)}
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": cluster.uid("ReplicaSet", name),
            "resourceVersion": _version(name, len(pods), ready, release.revision),
            "generation": release.revision,
            "creationTimestamp": rfc3339(release.created_at),
            "labels": _pod_labels(workload, release),
            "annotations": {
                "deployment.kubernetes.io/desired-replicas": str(workload.spec.replicas),
                "deployment.kubernetes.io/revision": str(release.revision),
            },
            "ownerReferences": _owner(cluster, "Deployment", workload.name),
        },
        "spec": {
            "replicas": len(pods),
            "selector": {
                "matchLabels": {"app": workload.name, "pod-template-hash": release.template_hash}
            },
            "template": {
                "metadata": {"labels": _pod_labels(workload, release)},
                "spec": _pod_spec(workload, release.version),
            },
        },
        "status": status,
    }


def deployment_object(cluster: Cluster, workload: Workload) -> Object:
    release = workload.releases[-1]
    wanted = workload.spec.replicas
    ready = sum(pod.ready for pod in workload.pods)
    updated = sum(pod.release.revision == release.revision for pod in workload.pods)
    status: Object = {
        "observedGeneration": release.revision,
        "replicas": len(workload.pods),
        "updatedReplicas": updated,
    }
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    if ready < wanted:
        status["unavailableReplicas"] = wanted - ready
    changed = rfc3339(max(pod.ready_changed_at for pod in workload.pods))
    done = updated == wanted
    name = f"{workload.name}-{release.template_hash}"
    status["conditions"] = [
        {
            "type": "Available",
            "status": "True" if ready >= 0.75 * wanted else "False",
            "lastUpdateTime": changed,
            "lastTransitionTime": changed,
            "reason": "MinimumReplicasAvailable"
            if ready >= 0.75 * wanted
            else "MinimumReplicasUnavailable",
            "message": "Deployment has minimum availability."
            if ready >= 0.75 * wanted
            else "Deployment does not have minimum availability.",
        },
        {
            "type": "Progressing",
            "status": "True",
            "lastUpdateTime": changed,
            "lastTransitionTime": rfc3339(release.created_at),
            "reason": "NewReplicaSetAvailable" if done else "ReplicaSetUpdated",
            "message": f'ReplicaSet "{name}" '
            + ("has successfully progressed." if done else "is progressing."),
        },
    ]
    return {
        "metadata": {
            "name": workload.name,
            "namespace": NAMESPACE,
            "uid": cluster.uid("Deployment", workload.name),
            "resourceVersion": _version(workload.name, ready, updated, release.revision),
            "generation": release.revision,
            "creationTimestamp": rfc3339(workload.releases[0].created_at),
            "labels": {"app": workload.name},
            "annotations": {
                "deployment.kubernetes.io/revision": str(release.revision),
                "kubernetes.io/change-cause": release.change_cause,
            },
        },
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": {"app": workload.name}},
            "template": {
                "metadata": {"labels": _pod_labels(workload, None)},
                "spec": _pod_spec(workload, release.version),
            },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
            },
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
        "status": status,
    }


def event_object(event: Event) -> Object:
    involved: Object = {"kind": event.kind, "name": event.name, "uid": event.uid}
    involved["apiVersion"] = "apps/v1" if event.kind == "Deployment" else "v1"
    if event.kind != "Node":
        involved["namespace"] = NAMESPACE
    source = {"component": event.component}
    if event.host:
        source["host"] = event.host
    name = f"{event.name}.{event.number:016x}"
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
            "resourceVersion": str(event.number + event.count),
            "creationTimestamp": rfc3339(event.first_at),
        },
        "involvedObject": involved,
        "reason": event.reason,
        "message": event.message,
        "source": source,
        "firstTimestamp": rfc3339(event.first_at),
        "lastTimestamp": rfc3339(event.last_at),
        "count": event.count,
        "type": event.type,
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }


def namespace_object(cluster: Cluster, name: str) -> Object:
    return {
        "metadata": {
            "name": name,
            "uid": cluster.uid("Namespace", name),
            "resourceVersion": "12",
            "creationTimestamp": rfc3339(_born(cluster)),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _born(cluster: Cluster) -> float:
    return min(w.releases[0].created_at for w in cluster.workloads.values()) - NODE_AGE_SECONDS


def node_object(cluster: Cluster, name: str) -> Object:
    born = rfc3339(_born(cluster))
    return {
        "metadata": {
            "name": name,
            "uid": cluster.uid("Node", name),
            "resourceVersion": _version(name),
            "creationTimestamp": born,
            "labels": {"kubernetes.io/hostname": name},
        },
        "spec": {},
        "status": {
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "allocatable": {"cpu": "7500m", "memory": "30Gi", "pods": "110"},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "lastHeartbeatTime": rfc3339(cluster.loop.now),
                    "lastTransitionTime": born,
                    "reason": "KubeletReady",
                    "message": "kubelet is posting ready status",
                }
            ],
            "nodeInfo": {
                "kernelVersion": "6.1.0",
                "osImage": "Linux",
                "containerRuntimeVersion": "containerd://2.1.0",
                "kubeletVersion": "v1.36.2",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }
