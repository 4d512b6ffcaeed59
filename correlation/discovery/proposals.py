"""What discovery proposes, and how it reads as JSON. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ProposedService:
    """A service seen. `fills` are the empty columns of an existing one that would be filled.

    `seen` is (data source, how) in words; `role_because` the evidence of the role, "" for none.
    """

    slug: str
    name: str
    role: str
    namespace: str
    selectors: dict[str, Any]
    seen: tuple[tuple[str, str], ...]
    exists: bool = False
    fills: dict[str, Any] = field(default_factory=dict)
    role_because: str = ""

    @property
    def state(self) -> str:
        if not self.exists:
            return "new"
        return f"fill {', '.join(sorted(self.fills))}" if self.fills else "exists"


@dataclass(frozen=True)
class ProposedCall:
    """`caller` asks `callee`, by slug; `seen` is (data source, how)."""

    caller: str
    callee: str
    seen: tuple[tuple[str, str], ...]
    exists: bool = False


@dataclass(frozen=True)
class Discovery:
    """Everything proposed for one environment. `left_out` and `notes` are for the reader."""

    services: tuple[ProposedService, ...]
    calls: tuple[ProposedCall, ...]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "services": [
                {
                    "slug": one.slug,
                    "name": one.name,
                    "role": one.role,
                    "role_because": one.role_because,
                    "namespace": one.namespace,
                    "selectors": one.selectors,
                    "seen": _seen(one.seen),
                    "exists": one.exists,
                    "fills": one.fills,
                }
                for one in self.services
            ],
            "dependencies": [
                {
                    "caller": one.caller,
                    "callee": one.callee,
                    "seen": _seen(one.seen),
                    "exists": one.exists,
                }
                for one in self.calls
            ],
            "left_out": list(self.left_out),
            "notes": list(self.notes),
        }


def _seen(seen: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"source": source, "how": how} for source, how in seen]
