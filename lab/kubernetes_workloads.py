"""Deployments and their ReplicaSets, in the API's own JSON shapes."""

from __future__ import annotations

from lab.cluster import Cluster
from lab.kubernetes_objects import (
    Object,
    controlled_by,
    object_version,
    pod_labels,
    pod_spec,
    rfc3339,
)
from lab.pods import Release, Workload
from lab.world import NAMESPACE


def replica_set_object(cluster: Cluster, workload: Workload, release: Release) -> Object:
    name = f"{workload.name}-{release.template_hash}"
    pods = [pod for pod in workload.pods if pod.release.template_hash == release.template_hash]
    ready = sum(pod.ready for pod in pods)
    status: Object = {"replicas": len(pods), "observedGeneration": release.revision}
    if pods:
        status |= {"fullyLabeledReplicas": len(pods)}
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    annotations = {
        "deployment.kubernetes.io/desired-replicas": str(workload.spec.replicas),
        "deployment.kubernetes.io/revision": str(release.revision),
        "kubernetes.io/change-cause": release.change_cause,
    }
    if release.earlier_revisions:
        history = ",".join(str(revision) for revision in release.earlier_revisions)
        annotations["deployment.kubernetes.io/revision-history"] = history
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": cluster.uid("ReplicaSet", name),
            "resourceVersion": object_version(name, len(pods), ready, release.revision),
            "generation": release.revision,
            "creationTimestamp": rfc3339(release.created_at),
            "labels": pod_labels(workload, release),
            "annotations": annotations,
            "ownerReferences": controlled_by(cluster, "Deployment", workload.name),
        },
        "spec": {
            "replicas": len(pods),
            "selector": {
                "matchLabels": {"app": workload.name, "pod-template-hash": release.template_hash}
            },
            "template": {
                "metadata": {"labels": pod_labels(workload, release)},
                "spec": pod_spec(workload, release.version),
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
            "resourceVersion": object_version(workload.name, ready, updated, release.revision),
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
                "metadata": {"labels": pod_labels(workload, None)},
                "spec": pod_spec(workload, release.version),
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
