"""What discovery has seen, before anybody asks whether two names mean one service. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sighting:
    """One source calls something `name`.

    `where` says how it was seen, for the reader. `images` and `systems` are evidence of a role:
    container images, and values of attributes such as `db.system`. `namespace` is the cluster's,
    "" when the source does not say; `label_selector` that of the workload.
    """

    kind: str
    source: str
    name: str
    where: str
    namespace: str = ""
    images: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    label_selector: str = ""


@dataclass(frozen=True)
class Call:
    """A source shows `caller` asking `callee`, by the names that source uses."""

    kind: str
    source: str
    caller: str
    callee: str
    where: str


@dataclass(frozen=True)
class Seen:
    """Everything one source showed; `problems` are what it could not, in words."""

    sightings: tuple[Sighting, ...] = ()
    calls: tuple[Call, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """A service of the catalogue: the names it goes by, by kind of source ("" for any)."""

    slug: str
    namespace: str = ""
    role: str = "service"
    name: str = ""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def called(self, kind: str) -> tuple[str, ...]:
        return self.names.get(kind) or self.names.get("") or (self.slug,)
