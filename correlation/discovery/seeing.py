"""What the configured sources show of services, and of who calls whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from correlation.discovery.sightings import Call, Seen, Sighting
from correlation.discovery.workloads import Workload, workloads
from correlation.doctor import looking
from correlation.doctor.looking import Look
from correlation.sources import Source
from correlation.telemetry import Span
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

_SYSTEMS = ("db.system", "db.system.name", "messaging.system")


@dataclass(frozen=True)
class Looked:
    """What each source showed, and how it did: (label, state, detail)."""

    seen: tuple[Seen, ...]
    states: tuple[tuple[str, str, str], ...]

    @property
    def answered(self) -> bool:
        """Whether any configured source did."""
        return any(state not in ("unavailable", "not_configured") for _, state, _ in self.states)


def look(
    sources: Sequence[Source],
    environment: str,
    now: float,
    deadline_seconds: float,
    namespaces: Sequence[str] = (),
) -> Looked:
    """Ask every source at once for the last quarter of an hour before `now` (epoch seconds).

    `namespaces` limits what is read of Kubernetes. Raises for no source.
    """
    scope = looking.recent(now, environment)
    telemetry = [one for one in sources if one.kind != "kubernetes"]
    clusters = [one for one in sources if one.kind == "kubernetes"]
    deadline = Deadline(deadline_seconds)
    with ThreadPoolExecutor(1 + len(clusters), thread_name_prefix="discover") as pool:
        looks = pool.submit(looking.look, scope, telemetry, deadline_seconds)
        listed = [pool.submit(_listed, one, namespaces, deadline) for one in clusters]
        seen = [_of_telemetry(one) for one in looks.result()]
        states: list[tuple[str, str, str]] = [
            (one.source.label, one.status.status, one.status.detail) for one in looks.result()
        ]
        for future in listed:
            cluster, state = future.result()
            seen.append(cluster)
            states.append(state)
    return Looked(tuple(seen), tuple(states))


def _listed(
    source: Source, namespaces: Sequence[str], deadline: Deadline
) -> tuple[Seen, tuple[str, str, str]]:
    """What one cluster shows, and how it did."""
    if source.closed_because:
        return Seen(), (source.label, "unavailable", source.closed_because)
    try:
        found, problems = workloads(source, namespaces, deadline)
    except BackendError as error:
        return Seen(), (source.label, "unavailable", error.detail)
    except ValueError as error:
        return Seen(), (source.label, "unavailable", f"is set up wrongly: {error}")
    state = "partial" if problems else "ok" if found else "no_data"
    return _of_cluster(source, found, problems), (source.label, state, "; ".join(problems))


def _of_telemetry(look: Look) -> Seen:
    kind, source = look.source.kind, look.source.slug
    found = look.telemetry
    names: dict[tuple[str, str], None] = {}
    for one in found.series:
        names[one.service, f"metric {one.signal}"] = None
    for line in found.logs:
        if line.service:
            names[line.service, "log lines"] = None
    for span in found.spans:
        names[span.service, "spans"] = None
    for where, known in look.inventory.names.items():
        for name in known:
            names[name, f"{where} value"] = None
    first: dict[str, str] = {}
    for name, where in names:
        first.setdefault(name, where)
    systems = _systems(found.spans)
    sightings = [
        Sighting(kind, source, name, where, systems=systems.pop(name, ()))
        for name, where in first.items()
        if name
    ]
    sightings += [
        Sighting(kind, source, name, "called in spans", systems=said)
        for name, said in systems.items()
    ]
    edges = set(found.edges)
    where = {"prometheus": "metrics of calls", "tempo": "traces"}.get(kind, kind)
    calls = tuple(Call(kind, source, *edge, where) for edge in sorted(edges) if all(edge))
    return Seen(tuple(sightings), calls, look.inventory.problems)


def _systems(spans: Iterable[Span]) -> dict[str, tuple[str, ...]]:
    """`db.system` and its like of the calls to each peer."""
    said: dict[str, set[str]] = {}
    for span in spans:
        attributes = dict(span.attributes)
        for attribute in _SYSTEMS:
            if span.peer and attributes.get(attribute):
                said.setdefault(span.peer, set()).add(attributes[attribute])
    return {peer: tuple(sorted(found)) for peer, found in said.items()}


def _of_cluster(source: Source, found: Iterable[Workload], problems: tuple[str, ...]) -> Seen:
    return Seen(
        tuple(
            Sighting(
                "kubernetes", source.slug, one.service, f"{one.kind} {one.name}",
                namespace=one.namespace, images=one.images,
                label_selector=one.label_selector,
            )
            for one in found
        ),
        (),
        problems,
    )  # fmt: skip
