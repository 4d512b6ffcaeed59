"""Kubernetes objects of the shop in the API's own JSON shapes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from lab.cluster import Cluster
from lab.pods import Pod, Release, Workload
from lab.world import MEBIBYTE, NAMESPACE

Object = dict[str, Any]
NODES = ("node-1", "node-2", "node-3")


def rfc3339(at: float) -> str:
    """Kubernetes' metav1.Time: UTC, whole seconds."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def object_version(*parts: object) -> str:
    """A resourceVersion: opaque, changes with the object."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=3).hexdigest()
    return str(1 + int(digest, 16))


def container_image(service: str, version: str) -> str:
    return f"ghcr.example.com/shop/{service}:{version}"


def _container(workload: Workload, version: str) -> Object:
    spec = workload.spec
    limits = {
        "cpu": f"{round(spec.cpu_limit_cores * 1000)}m",
        "memory": f"{round(spec.memory_limit_bytes / MEBIBYTE)}Mi",
    }
    return {
        "name": spec.name,
        "image": container_image(spec.name, version),
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": limits, "requests": limits},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


def pod_labels(workload: Workload, release: Release | None) -> dict[str, str]:
    labels = {"app": workload.name, "app.kubernetes.io/name": workload.name}
    if release is not None:
        labels["pod-template-hash"] = release.template_hash
    return labels


def pod_spec(workload: Workload, version: str) -> Object:
    return {
        "containers": [_container(workload, version)],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }


def controlled_by(cluster: Cluster, kind: str, name: str) -> list[Object]:
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
    image = container_image(workload.name, release.version)
    digest = hashlib.sha256(image.encode()).hexdigest()
    life = hashlib.sha256(f"{pod.name}/{pod.started_at}".encode()).hexdigest()
    return {
        "metadata": {
            "name": pod.name,
            "namespace": NAMESPACE,
            "uid": cluster.uid("Pod", pod.name),
            "resourceVersion": object_version(pod.name, pod.restarts, pod.ready, pod.running),
            "generation": 1,
            "creationTimestamp": rfc3339(pod.created_at),
            "labels": pod_labels(workload, release),
            "ownerReferences": controlled_by(
                cluster, "ReplicaSet", f"{workload.name}-{release.template_hash}"
            ),
        },
        "spec": {**pod_spec(workload, release.version), "nodeName": pod.node},
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
