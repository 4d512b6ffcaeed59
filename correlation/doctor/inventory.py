"""What a source knows beside what an analysis asks it: names, counts, pods, rights.

A fixed number of requests a source (Kubernetes: one list and five questions a namespace).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from correlation.backends.kubernetes import KubernetesApi, list_path
from correlation.backends.kubernetes_answers import Listing
from correlation.backends.tempo import TempoClient
from correlation.cluster.objects import (
    Object,
    ServiceNames,
    condition,
    labels_of,
    name_of,
    namespace_of,
    part,
    rows,
    workload_of,
)
from correlation.cluster.queries import namespaces_of
from correlation.doctor.log_counts import count_lines
from correlation.sources import Scope, Source, http_arguments, windows
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

logger = logging.getLogger(__name__)

SERVICE_TAG = "resource.service.name"
RIGHTS = (
    ("pods", "", False),
    ("events", "", False),
    ("replicasets", "apps", False),
    ("nodes", "", True),
    ("horizontalpodautoscalers", "autoscaling", False),
)
"""(resource, API group, whether it belongs to the whole cluster) that an analysis lists."""
_FINISHED = ("Succeeded",)


@dataclass(frozen=True)
class Pod:
    """`service` is None for a namesake of a service that lives elsewhere."""

    service: str | None
    namespace: str
    name: str
    ready: bool
    restarts: int


@dataclass(frozen=True)
class Right:
    """Whether `resource` may be listed; None when the cluster would not say. "" = everywhere."""

    resource: str
    namespace: str
    allowed: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Inventory:
    """What was told; `names` are raw names of services by where they stand.

    `lines` counts log lines by (raw name, level) exactly, empty when that could not be had;
    `problems` say in words what was not told.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    log_labels: tuple[str, ...] = ()
    level_labels: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    pods: tuple[Pod, ...] = ()
    rights: tuple[Right, ...] = ()
    problems: tuple[str, ...] = ()


def take(source: Source, scope: Scope, deadline: Deadline) -> Inventory:
    """Raises for no source: what could not be asked is among the problems."""
    ask = _ASKS.get(source.kind)
    if ask is None or source.closed_because or not source.is_configured:
        return Inventory()
    try:
        return ask(source, scope, deadline)
    except BackendError as error:
        return Inventory(problems=(error.detail,))
    except ValueError:
        return Inventory()  # a wrong option: the source's status says so
    except Exception as error:  # an answer nobody foresaw costs this source's inventory only
        logger.exception("inventory of %s failed", source.slug)
        return Inventory(problems=(f"the answer could not be read ({type(error).__name__})",))


def _loki(source: Source, scope: Scope, deadline: Deadline) -> Inventory:
    counted = count_lines(source, scope, deadline)
    names = tuple(sorted({name for name, _ in counted.lines}))
    return Inventory(
        names={", ".join(counted.service_labels) or "stream": names},
        lines=counted.lines,
        log_labels=counted.service_labels,
        level_labels=counted.level_labels,
        problems=counted.problems,
    )


def _tempo(source: Source, scope: Scope, deadline: Deadline) -> Inventory:
    client = TempoClient(source.url, **http_arguments(source))
    start, end = windows(scope).window
    return Inventory(names={SERVICE_TAG: client.tag_values(SERVICE_TAG, deadline, start=start,
                                                           end=end)})  # fmt: skip


def _kubernetes(source: Source, scope: Scope, deadline: Deadline) -> Inventory:
    api, names = KubernetesApi(source), ServiceNames(scope)
    asked = namespaces_of(source, scope)
    items, errors, cut = _pods(api, asked or ("",), deadline)
    if not asked and errors and errors[0].status == 403:
        asked = (api.own_namespace(),)
        items, errors, cut = _pods(api, asked, deadline)
    pods = tuple(
        _pod(item, names) for item in items if part(item, "status").get("phase") not in _FINISHED
    )
    return Inventory(
        names={"pod labels": tuple(sorted({pod.service for pod in pods if pod.service}))},
        namespaces=asked,
        pods=pods,
        rights=_rights(api, asked or ("",), deadline),
        problems=tuple(dict.fromkeys([*cut, *(error.detail for error in errors)])),
    )


def _pods(
    api: KubernetesApi, namespaces: tuple[str, ...], deadline: Deadline
) -> tuple[list[Object], list[BackendError], list[str]]:
    """(pods, why some could not be listed, which lists were cut); "" is the whole cluster."""

    def ask(namespace: str) -> Listing | BackendError:
        try:
            return api.list(list_path("/api/v1", "pods", namespace), deadline)
        except BackendError as error:
            return error

    with ThreadPoolExecutor(5, thread_name_prefix="pods") as pool:
        answers = list(pool.map(ask, namespaces))
    listings = [one for one in answers if isinstance(one, Listing)]
    return (
        [item for one in listings for item in one.items],
        [one for one in answers if isinstance(one, BackendError)],
        [one.truncated for one in listings if one.truncated],
    )


def _pod(item: Object, names: ServiceNames) -> Pod:
    statuses = rows(item, "status", "containerStatuses")
    return Pod(
        service=names.service_of(namespace_of(item), labels_of(item), workload_of(item)),
        namespace=namespace_of(item),
        name=name_of(item),
        ready=condition(item, "Ready").get("status") == "True",
        restarts=sum(_count(status.get("restartCount")) for status in statuses),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _rights(
    api: KubernetesApi, namespaces: tuple[str, ...], deadline: Deadline
) -> tuple[Right, ...]:
    asked = [
        (resource, group, namespace)
        for resource, group, everywhere in RIGHTS
        for namespace in (("",) if everywhere else namespaces)
    ]

    def ask(question: tuple[str, str, str]) -> Right:
        resource, group, namespace = question
        try:
            given = api.can_i("list", resource, namespace, deadline, group)
        except BackendError as error:
            return Right(resource, namespace, None, error.detail)
        return Right(resource, namespace, given.allowed, given.reason)

    with ThreadPoolExecutor(5, thread_name_prefix="rights") as pool:
        return tuple(pool.map(ask, asked))


_ASKS: dict[str, Callable[[Source, Scope, Deadline], Inventory]] = {
    "loki": _loki,
    "tempo": _tempo,
    "kubernetes": _kubernetes,
}
