"""What is asked of a cluster: pods, events and ReplicaSets, one list of each a namespace.

No selector by service: the lists are the same for every analysis, which is why those that run
together share them, and their cost does not grow with the number of services. Nodes and
autoscalers are asked for only when something points at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from correlation.backends.kubernetes import Keep, KubernetesApi, list_path
from correlation.cluster.events import AUTOSCALER_KIND, NODE_KIND
from correlation.cluster.limits import autoscaler_states, node_states
from correlation.cluster.objects import Object, ServiceNames, part
from correlation.cluster.rollouts import newest_revisions
from correlation.cluster.view import ClusterView
from correlation.shared_answers import once
from correlation.sources import FoundAs, Query, Reply, Scope, Source
from correlation.telemetry import WorkloadState
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, timeout_error

CONCURRENCY = 8
OBJECT_BYTES = 10_000
"""What a pod weighs in memory, read into dictionaries."""
_REFUSED = (401, 403, 404)


def _essence(pods: list[Object]) -> list[Object]:
    """Pods without what is never read: kept lists of thousands must stay small."""
    return [
        {
            "metadata": pod["metadata"],
            "spec": {
                key: value
                for key, value in part(pod, "spec").items()
                if key in ("nodeName", "containers", "initContainers")
            },
            "status": part(pod, "status"),
        }
        for pod in pods
    ]


RESOURCES: dict[str, tuple[str, Keep | None]] = {
    "pods": ("/api/v1", _essence),
    "events": ("/api/v1", None),
    "replicasets": ("/apis/apps/v1", newest_revisions),
}
"""What is listed, under which prefix, and what of it is kept."""


@dataclass(frozen=True)
class Listed(Reply):
    """A list as it came, to be shared by analyses that read it each in their own way."""

    objects: tuple[Object, ...] = ()

    @property
    def more_bytes(self) -> int:
        return OBJECT_BYTES * len(self.objects)


def cluster_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The query to send to a cluster, by name; raises ValueError for bad options."""
    reading = _Reading(source, scope, KubernetesApi(source), ServiceNames(scope))
    namespaces = namespaces_of(source, scope)
    return {"pods, events, replicasets": Query(lambda deadline: reading.ask(namespaces, deadline))}


def namespaces_of(source: Source, scope: Scope) -> tuple[str, ...]:
    """The namespaces to read; empty for the whole cluster.

    Those of the scope's services; where a service names none, the option `namespaces` too.
    """
    services = scope.services or frozenset(scope.found_as)
    named = {scope.found_as.get(service, FoundAs()).namespace for service in services}
    given = source.texts("namespaces", ())
    if not named or "" in named:
        named |= set(given)
    return tuple(sorted(named - {""}))


@dataclass(frozen=True)
class _Fetched:
    """Lists by resource; `refusals` are the errors of those that could not be had."""

    objects: Mapping[str, Sequence[Object]]
    refusals: Sequence[BackendError]
    truncated: tuple[str, ...]
    requests: int

    @property
    def failed(self) -> bool:
        return not self.objects


@dataclass(frozen=True)
class _Reading:
    """The questions of one analysis to one cluster."""

    source: Source
    scope: Scope
    api: KubernetesApi
    names: ServiceNames

    def ask(self, namespaces: Sequence[str], deadline: Deadline) -> Reply:
        notes: tuple[str, ...] = ()
        fetched = self._fetch(namespaces or ("",), deadline)
        requests = fetched.requests
        if not namespaces and fetched.failed and all(e.status == 403 for e in fetched.refusals):
            own = self.api.own_namespace()
            notes = (
                f"these credentials may not read the whole cluster: only namespace {own} was "
                "read; name others in the option namespaces or in the catalogue",
            )
            namespaces = (own,)
            fetched = self._fetch(namespaces, deadline)
            requests += fetched.requests
        if fetched.failed:
            hint = (
                "name namespaces in KUBERNETES_NAMESPACES, the option namespaces or the catalogue"
                if notes
                else ""
            )
            raise _combined(fetched.refusals, self.source, requests, hint)
        return self._told(fetched, namespaces, requests, notes)

    def _told(
        self,
        fetched: _Fetched,
        namespaces: Sequence[str],
        requests: int,
        notes: tuple[str, ...],
    ) -> Reply:
        view = ClusterView(
            self.scope, self.names, *(fetched.objects.get(name, ()) for name in RESOURCES)
        )
        troubled = view.namespaces_in_trouble()
        then: dict[str, Query] = {}
        if troubled or view.mentions(NODE_KIND):
            then["nodes"] = Query(lambda deadline: self._nodes(view, deadline))
        if troubled or view.mentions(AUTOSCALER_KIND):
            where = troubled or tuple(namespaces)
            then["autoscalers"] = Query(lambda deadline: self._autoscalers(view, where, deadline))
        return Reply(
            workloads=self._ours(view.states()),
            changes=tuple(replace(one, source=self.source.slug) for one in view.changes()),
            partial=(
                *dict.fromkeys(error.detail for error in fetched.refusals),
                *fetched.truncated,
            ),
            notes=(*notes, *(view.notes() if "pods" in fetched.objects else ())),
            requests=requests,
            then=then,
        )

    def _ours(self, states: Sequence[WorkloadState]) -> tuple[WorkloadState, ...]:
        return tuple(replace(state, source=self.source.slug) for state in states)

    def _fetch(self, namespaces: Sequence[str], deadline: Deadline) -> _Fetched:
        """Every list of every namespace at once; what is not there in time is a refusal too."""
        asked: dict[Future[tuple[Listed, bool]], str] = {}
        workers = int(self.source.number("concurrency", CONCURRENCY))
        pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix=f"list-{self.source.slug}")
        allowed = deadline.remaining()
        try:
            for namespace in namespaces:
                for resource, (prefix, keep) in RESOURCES.items():
                    path = list_path(prefix, resource, namespace)
                    asked[pool.submit(self._list, path, deadline, keep)] = resource
            done, _late = wait(asked, timeout=deadline.remaining())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        objects: dict[str, list[Object]] = {}
        refusals: list[BackendError] = []
        truncated: list[str] = []
        requests = 0
        for future, resource in asked.items():
            error = future.exception() if future in done else None
            if future not in done:
                error = timeout_error(self.source.label, allowed)
            if isinstance(error, BackendError):
                refusals.append(error)
                requests += 1
            elif error is not None:
                raise error
            else:
                listed, sent = future.result()
                objects.setdefault(resource, []).extend(listed.objects)
                truncated += listed.partial
                requests += listed.requests if sent else 0
        return _Fetched(objects, refusals, tuple(dict.fromkeys(truncated)), requests)

    def _list(self, path: str, deadline: Deadline, keep: Keep | None = None) -> tuple[Listed, bool]:
        """A list, shared with other analyses, and whether this call was the one that asked."""

        def ask(until: Deadline) -> Reply:
            listing = self.api.list(path, until, keep)
            partial = (listing.truncated,) if listing.truncated else ()
            return Listed(partial=partial, requests=listing.requests, objects=listing.items)

        source = self.source
        key = (source.slug, source.url, source.kubeconfig, source.context, path)
        reply, sent = once(key, ask, deadline, source.label)
        assert isinstance(reply, Listed)
        return reply, sent

    def _nodes(self, view: ClusterView, deadline: Deadline) -> Reply:
        return self._follow_up(
            ["/api/v1/nodes"], lambda nodes: node_states(nodes, view.placed), deadline
        )

    def _autoscalers(
        self, view: ClusterView, namespaces: Sequence[str], deadline: Deadline
    ) -> Reply:
        """The whole cluster's autoscalers in one request; where refused, by namespace."""
        prefix, resource = "/apis/autoscaling/v2", "horizontalpodautoscalers"

        def states(found: Sequence[Object]) -> list[WorkloadState]:
            return autoscaler_states(found, view.service_at)

        whole = self._follow_up([list_path(prefix, resource)], states, deadline)
        if not whole.notes or not namespaces:
            return whole
        paths = [list_path(prefix, resource, namespace) for namespace in namespaces]
        apart = self._follow_up(paths, states, deadline)
        return replace(apart, requests=whole.requests + apart.requests)

    def _follow_up(
        self,
        paths: Sequence[str],
        states: Callable[[Sequence[Object]], list[WorkloadState]],
        deadline: Deadline,
    ) -> Reply:
        """States from lists that may be refused: rights of their own, and only a note without."""
        found: list[Object] = []
        notes: list[str] = []
        partial: list[str] = []
        requests = 0
        for path in paths:
            try:
                listed, sent = self._list(path, deadline)
            except BackendError as error:
                if error.status not in _REFUSED:
                    raise
                notes.append(error.detail)
                requests += 1
                continue
            found += listed.objects
            partial += listed.partial
            requests += listed.requests if sent else 0
        return Reply(
            workloads=self._ours(states(found)),
            partial=tuple(partial),
            notes=tuple(notes),
            requests=requests,
        )


def _combined(
    refusals: Sequence[BackendError], source: Source, requests: int, hint: str = ""
) -> BackendError:
    """One error for several lists that could not be had: their distinct reasons."""
    details = list(dict.fromkeys(error.detail for error in refusals))
    more = f" (and {len(details) - 3} other reasons)" if len(details) > 3 else ""
    first = refusals[0]
    return BackendError(
        first.kind,
        "; ".join(details[:3]) + more + (f": {hint}" if hint else ""),
        source=source.label,
        status=first.status,
        requests=requests,
    )
