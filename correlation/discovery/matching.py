"""From sightings to proposals: which names are one service, and what the catalogue lacks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from correlation.discovery import names, roles
from correlation.discovery.addons import is_addon
from correlation.discovery.proposals import Discovery, ProposedCall, ProposedService
from correlation.discovery.sightings import Call, Known, Seen, Sighting

_ORDER = ("kubernetes", "tempo", "prometheus", "loki")
"""Whose word for a service counts when it is named: first the one closest to its owner."""

Identity = tuple[str, str]
"""("known", slug) of the catalogue, or (key of the name, namespace or "")."""


@dataclass
class _Group:
    sightings: list[Sighting] = field(default_factory=list)

    def names_by_kind(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for one in self.sightings:
            found.setdefault(one.kind, set()).add(one.name)
        return {kind: sorted(found[kind]) for kind in (*_ORDER,) if kind in found}

    def namespaces(self) -> list[str]:
        return sorted({one.namespace for one in self.sightings if one.namespace})


def propose(
    seen: Iterable[Seen],
    known: Sequence[Known] = (),
    known_calls: Collection[tuple[str, str]] = (),
    only_namespaces: Collection[str] = (),
) -> Discovery:
    """Services and calls, those of the catalogue included (`exists`), sorted by slug.

    Names that differ by case, separators, port or namespace are one service. Where the cluster
    has two workloads of one name in different namespaces, each is its own service and telemetry
    that names no namespace is given to neither (a note says so).
    """
    every = list(seen)
    calls = [call for one in every for call in one.calls]
    sightings = [s for one in every for s in one.sightings] + _ends(calls)
    sorter = _Sorter(known, sightings, only_namespaces)
    groups: dict[Identity, _Group] = {}
    left_out: set[str] = set()
    for one in sightings:
        identity = sorter.identity(one.kind, one.name, one.namespace)
        if identity is None:
            continue
        if identity[0] != "known" and is_addon(identity[0]):
            left_out.add(one.name)
            continue
        groups.setdefault(identity, _Group()).sightings.append(one)
    kept = _within(groups, sorter, calls, only_namespaces)
    slugs = {identity: sorter.slug(identity, groups[identity]) for identity in kept}
    by_slug = {one.slug: one for one in known}
    services = [
        _existing(by_slug[slug], groups[identity])
        if identity[0] == "known"
        else _new(slug, groups[identity], sorter, apart=bool(identity[1]))
        for identity, slug in slugs.items()
        if slug
    ]
    queues = {one.slug for one in services if one.role == "queue"}
    proposed_calls = _calls(calls, sorter, slugs, known_calls, queues)
    return Discovery(
        tuple(sorted(services, key=lambda one: one.slug)),
        proposed_calls,
        tuple(sorted(left_out)),
        tuple(sorted(sorter.notes)),
    )


def _ends(calls: Iterable[Call]) -> list[Sighting]:
    """Who calls and who is called: some services are seen in no other way."""
    return [
        Sighting(call.kind, call.source, name, f"{side} in {call.where}")
        for call in calls
        for name, side in ((call.caller, "caller"), (call.callee, "callee"))
    ]


class _Sorter:
    """Knows which service a source means by a name."""

    def __init__(
        self, known: Sequence[Known], sightings: Sequence[Sighting], only: Collection[str]
    ) -> None:
        self.notes: set[str] = set()
        self.namespaces = {one.namespace for one in sightings} | set(only)
        self.namespaces |= {one.namespace for one in known}
        self.namespaces.discard("")
        self._namespace_of = {one.slug: one.namespace for one in known}
        self._by_name: dict[tuple[str, str], list[str]] = {}
        self._by_key: dict[str, list[str]] = {}
        for one in known:
            for kind in _ORDER:
                for name in one.called(kind):
                    self._by_name.setdefault((kind, name), []).append(one.slug)
            said = {one.slug, *(name for group in one.names.values() for name in group)}
            for key in sorted({names.key(name, self.namespaces) for name in said}):
                self._by_key.setdefault(key, []).append(one.slug)
        self._places: dict[str, set[str]] = {}
        for seen in sightings:
            if seen.kind == "kubernetes" and seen.namespace:
                key = names.key(seen.name, self.namespaces)
                self._places.setdefault(key, set()).add(seen.namespace)

    def identity(self, kind: str, name: str, namespace: str = "") -> Identity | None:
        """None for what names nobody, or cannot be told apart."""
        key = names.key(name, self.namespaces)
        if not key or names.is_address(name):
            return None
        namespace = namespace or names.namespace_in(name, self.namespaces)
        claimed = self._claimed((kind, name), key, namespace)
        if len(claimed) == 1:
            return "known", claimed[0]
        places = self._places.get(key, set())
        if len(claimed) > 1 or (len(places) > 1 and not namespace):
            which = ", ".join(claimed or sorted(places))
            self.notes.add(f"{name} of {kind} may be any of: {which}; it was given to none")
            return None
        apart = len(places) > 1 or (namespace and key in self._by_key)
        return key, namespace if apart else ""

    def slug(self, identity: Identity, group: _Group) -> str:
        if identity[0] == "known":
            return identity[1]
        written: dict[str, list[int]] = {}
        for position, found in enumerate(group.names_by_kind().values()):
            for name in found:
                if text := names.slug(name, self.namespaces):
                    written.setdefault(text, []).append(position)
        if not written:
            return ""
        best = min(written, key=lambda text: (-len(written[text]), min(written[text]), text))
        return f"{best}.{identity[1]}" if identity[1] else best

    def _claimed(self, exact: tuple[str, str], key: str, namespace: str) -> list[str]:
        for found in (self._by_name.get(exact, []), self._by_key.get(key, [])):
            fitting = [
                slug
                for slug in dict.fromkeys(found)
                if not namespace or self._namespace_of[slug] in ("", namespace)
            ]
            if fitting:
                return fitting
        return []


def _within(
    groups: dict[Identity, _Group], sorter: _Sorter, calls: Iterable[Call], only: Collection[str]
) -> list[Identity]:
    """The groups inside the namespaces asked for, with whom they call; all when none is named."""
    placed = any(group.namespaces() for group in groups.values())
    if not only or not placed:
        return list(groups)
    inside = {identity for identity, group in groups.items() if set(group.namespaces()) & set(only)}
    called = {
        sorter.identity(call.kind, call.callee)
        for call in calls
        if sorter.identity(call.kind, call.caller) in inside
    }
    return [
        identity
        for identity, group in groups.items()
        if identity in inside or (identity in called and not group.namespaces())
    ]


def _new(slug: str, group: _Group, sorter: _Sorter, apart: bool) -> ProposedService:
    found = group.names_by_kind()
    every = [name for kind in found.values() for name in kind]
    role, why = roles.guess(
        (image for one in group.sightings for image in one.images),
        (system for one in group.sightings for system in one.systems),
        dict.fromkeys(names.short(name, sorter.namespaces) for name in every),
    )
    if not why and all(names.is_public_domain(name, sorter.namespaces) for name in every):
        role, why = "external", f"domain {every[0]}"
    places = group.namespaces()
    return ProposedService(
        slug=slug,
        name=slug if role == "external" else names.title(slug),
        role=role,
        role_because=why,
        namespace=places[0] if len(places) == 1 else "",
        selectors=_selectors(slug, found, general=not apart) | (_labelled(group) if apart else {}),
        seen=_seen(group.sightings),
    )


def _labelled(group: _Group) -> dict[str, Any]:
    """Namesakes are told apart by the labels of their workload, within their namespace."""
    labels = sorted({one.label_selector for one in group.sightings if one.label_selector})
    return {"kubernetes": {"label_selector": labels[0]}} if len(labels) == 1 else {}


def _existing(known: Known, group: _Group) -> ProposedService:
    """A service of the catalogue: what people wrote stays, only what is empty is filled."""
    fills: dict[str, Any] = {}
    places = group.namespaces()
    if not known.namespace and len(places) == 1:
        fills["namespace"] = places[0]
    unsaid = {
        kind: found
        for kind, found in group.names_by_kind().items()
        if not known.names.get(kind) and not known.names.get("")
    }
    if selectors := _selectors(known.slug, unsaid, general=not known.names):
        fills["selectors"] = selectors
    return ProposedService(
        slug=known.slug,
        name=known.name,
        role=known.role,
        namespace=known.namespace or fills.get("namespace", ""),
        selectors=fills.get("selectors", {}),
        seen=_seen(group.sightings),
        exists=True,
        fills=fills,
    )


def _selectors(slug: str, found: dict[str, list[str]], general: bool = True) -> dict[str, Any]:
    """What `Service.selectors` must say for sources that do not simply call it by its slug."""
    if not found or all(found[kind] == [slug] for kind in found):
        return {}
    distinct = {tuple(one) for one in found.values()}
    if general and len(distinct) == 1:
        return {"names": list(distinct.pop())}
    return {kind: {"names": one} for kind, one in found.items() if one != [slug]}


def _seen(sightings: Iterable[Sighting]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(one.source, f"{one.name}: {one.where}") for one in sightings}))


def _calls(
    calls: Iterable[Call],
    sorter: _Sorter,
    slugs: dict[Identity, str],
    known: Collection[tuple[str, str]],
    queues: set[str],
) -> tuple[ProposedCall, ...]:
    """Who calls whom, by slug; what a queue delivers stays the call that the catalogue has."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for call in calls:
        ends = [sorter.identity(call.kind, name) for name in (call.caller, call.callee)]
        caller, callee = (slugs.get(end, "") if end else "" for end in ends)
        if caller and callee and caller != callee:
            if queues & {caller, callee} and (callee, caller) in known:
                sorter.notes.add(
                    f"{caller} -> {callee} is the catalogue's {callee} -> {caller} seen from the "
                    "queue's side; it was left out"
                )
                continue
            found.setdefault((caller, callee), set()).add((call.source, call.where))
    return tuple(
        ProposedCall(*pair, seen=tuple(sorted(found[pair])), exists=pair in known)
        for pair in sorted(found)
    )
