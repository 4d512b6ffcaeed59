"""The part of the dependency graph an incident can have come from or gone to."""

from __future__ import annotations

from collections.abc import Iterable

HOPS = 3


def neighbourhood(
    target: str, edges: Iterable[tuple[str, str]], hops: int = HOPS
) -> frozenset[str]:
    """The services within `hops` edges of the target, callers and callees alike."""
    near: dict[str, set[str]] = {}
    for caller, callee in edges:
        near.setdefault(caller, set()).add(callee)
        near.setdefault(callee, set()).add(caller)
    found, frontier = {target}, {target}
    for _ in range(hops):
        frontier = {other for service in frontier for other in near.get(service, ())} - found
        found |= frontier
    return frozenset(found)
