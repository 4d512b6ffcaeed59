"""The workloads of a cluster and the services their labels say they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from correlation.backends.kubernetes import KubernetesApi, list_path
from correlation.cluster.objects import SERVICE_LABELS, Object, name_of, namespace_of, part, rows
from correlation.discovery.addons import is_system_namespace
from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

KINDS = (
    ("Deployment", "deployments"),
    ("StatefulSet", "statefulsets"),
    ("DaemonSet", "daemonsets"),
)
_BESIDE = re.compile(r"proxy|exporter|sidecar|agent|envoy|otel|fluent|vault")
_INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True)
class Workload:
    kind: str
    name: str
    namespace: str
    service: str
    images: tuple[str, ...]
    label_selector: str = ""


def workloads(
    source: Source, namespaces: Sequence[str], deadline: Deadline
) -> tuple[tuple[Workload, ...], tuple[str, ...]]:
    """(workloads, what could not be read). System namespaces count only when they are named.

    Asked are `namespaces`, else option `namespaces`, else the whole cluster, else, where that is
    forbidden, the namespace of the credentials. Raises BackendError when nothing can be read.
    """
    api = KubernetesApi(source)
    asked = tuple(namespaces) or source.texts("namespaces", ())
    try:
        items, problems = _listed(api, asked or ("",), deadline)
    except BackendError as error:
        if asked or error.status != 403:
            raise
        own = api.own_namespace()
        items, problems = _listed(api, (own,), deadline)
        hint = f"only namespace {own} was read: name others in KUBERNETES_NAMESPACES"
        problems = (*problems, f"{error.detail}; {hint}")
    kept = [
        (kind, item) for kind, item in items if asked or not is_system_namespace(namespace_of(item))
    ]
    return _named(kept), problems


def _listed(
    api: KubernetesApi, namespaces: Sequence[str], deadline: Deadline
) -> tuple[list[tuple[str, Object]], tuple[str, ...]]:
    items: list[tuple[str, Object]] = []
    refused: list[BackendError] = []
    problems: list[str] = []
    asked = [(kind, plural, space) for space in namespaces for kind, plural in KINDS]
    for kind, plural, space in asked:
        try:
            listing = api.list(list_path("/apis/apps/v1", plural, space), deadline)
        except BackendError as error:
            refused.append(error)
            if error.status != 404:  # that is a kind of workload the cluster does not have
                problems.append(error.detail)
            continue
        items += [(kind, item) for item in listing.items]
        problems += [listing.truncated] if listing.truncated else []
    if len(refused) == len(asked):
        raise refused[0]
    return items, tuple(dict.fromkeys(problems))


def _named(items: Sequence[tuple[str, Object]]) -> tuple[Workload, ...]:
    """A label that several releases of one chart share names none of them: then the instance."""
    instances: dict[tuple[str, str], set[str]] = defaultdict(set)
    for _, item in items:
        labels = _pod_labels(item)
        if name := _labelled(labels):
            instances[namespace_of(item), name].add(labels.get(_INSTANCE, ""))
    found = []
    for kind, item in items:
        labels = _pod_labels(item)
        name = _labelled(labels)
        if name and len(instances[namespace_of(item), name]) > 1 and labels.get(_INSTANCE):
            name = labels[_INSTANCE]
        found.append(
            Workload(
                kind,
                name_of(item),
                namespace_of(item),
                name or name_of(item),
                _main_image(item),
                _selector(item),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.namespace, one.service, one.kind, one.name)))


def _selector(item: Object) -> str:
    wanted = part(item, "spec", "selector", "matchLabels")
    return ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))


def _main_image(item: Object) -> tuple[str, ...]:
    """The image of the first container that is no proxy or agent put beside the program."""
    images = [
        str(container.get("image") or "")
        for container in rows(item, "spec", "template", "spec", "containers")
    ]
    own = [image for image in images if image and not _BESIDE.search(image.rpartition("/")[2])]
    return tuple(own[:1])


def _pod_labels(item: Object) -> dict[str, str]:
    """Of the pods it makes, which is where an analysis meets them; else its own."""
    labels = part(item, "spec", "template", "metadata", "labels")
    labels = labels or part(item, "metadata", "labels")
    return {key: str(value) for key, value in labels.items()}


def _labelled(labels: dict[str, str]) -> str:
    return next((labels[key] for key in SERVICE_LABELS if labels.get(key)), "")
