"""What the causes panel shows of verdicts: under each cause, and of causes that were not ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from correlation.memory.verdicts import Identity
from correlation.models import CauseVerdict, Correlation, RootCause
from correlation.rules.pack import shipped_rules


def other_causes(
    ranked: Sequence[RootCause],
    holding: Mapping[Identity, CauseVerdict],
    evidence: Iterable[Correlation],
) -> dict[str, Any]:
    """`stated`: verdicts on causes that are not shown; what the form for another one offers."""
    shown = {(cause.service, cause.kind) for cause in ranked}
    seen = {name for row in evidence for name in (row.service, row.peer) if name}
    kinds = dict.fromkeys(rule.kind for rule in shipped_rules())
    return {
        "stated": [row for identity, row in holding.items() if identity not in shown],
        "services_seen": sorted(seen),
        "cause_kinds": [(kind, kind.replace("_", " ")) for kind in kinds],
    }
