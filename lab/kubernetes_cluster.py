"""Events, namespaces and nodes, in the API's own JSON shapes."""

from __future__ import annotations

import hashlib

from lab.cluster import Cluster, Event
from lab.kubernetes_objects import Object, object_version, rfc3339
from lab.world import NAMESPACE

NODE_AGE_SECONDS = 30 * 86_400.0


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
            "resourceVersion": object_version(name),
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
