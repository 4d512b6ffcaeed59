"""Breaches begin, go on and end with what an evaluation found; in its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from slos.breaches.linking import place
from slos.burn import Status
from slos.models import SLO, SLOBreach
from slos.promql import duration_of

BUDGET = SLOBreach.BUDGET
RECOVERY, EDIT = SLOBreach.EndedBy.RECOVERY, SLOBreach.EndedBy.EDIT
BATCH = 200


@dataclass(frozen=True)
class Burning:
    """A limit that an SLO exceeds now; `burn` is None where a gap hides how much."""

    policy: str
    severity: str
    factor: float
    burn: float | None


@dataclass(frozen=True)
class Followed:
    """What an evaluation changed: rows that began, and rows that ended."""

    begun: Sequence[SLOBreach]
    ended: Sequence[SLOBreach]


def follow(rows: Sequence[SLO], at: datetime) -> Followed:
    """Bring the breaches of these SLOs in line with their judgements as of `at`.

    `rows` are those that were evaluated, with the columns of now; an SLO whose evaluation failed
    is not among them: silence ends nothing. Those of disabled SLOs end.
    """
    open_now = _open(row.pk for row in rows)
    begun: list[SLOBreach] = []
    going_on: list[SLOBreach] = []
    ended: list[SLOBreach] = []
    for row in rows:
        before = open_now.get(row.pk, {})
        burning = {one.policy: one for one in burning_of(row)}
        for policy, one in burning.items():
            known = before.get(policy)
            if known is None:
                begun.append(_begun(row, one, at))
            elif one.burn is not None:
                known.burn_rate = one.burn
                known.peak_burn_rate = max(known.peak_burn_rate or 0.0, one.burn)
                going_on.append(known)
        policies = set(_policies(row))
        for policy, known in before.items():
            if policy in burning or (policy == BUDGET and row.status == Status.NO_DATA):
                continue
            known.ended_by = RECOVERY if policy == BUDGET or policy in policies else EDIT
            known.burn_rate = _burn(row, policy)
            ended.append(_over(known, at))
    ended += _disabled(at)
    place(begun)
    SLOBreach.objects.bulk_create(begun, batch_size=BATCH)
    SLOBreach.objects.bulk_update(going_on, ["burn_rate", "peak_burn_rate"], batch_size=BATCH)
    SLOBreach.objects.bulk_update(ended, ["burn_rate", "ended_at", "ended_by"], batch_size=BATCH)
    return Followed(begun, ended)


def burning_of(row: SLO) -> list[Burning]:
    """The limits that the SLO exceeds, by its columns."""
    found = [Burning(name_of(j), j["severity"], j["factor"], j["long_burn"]) for j in row.firing()]
    if row.status == Status.EXHAUSTED:
        found.append(Burning(BUDGET, BUDGET, 1.0, _burn(row, BUDGET)))
    return found


def name_of(judgement: Mapping[str, Any]) -> str:
    """The policy of a stored judgement: "1h/5m"."""
    long, short = judgement["long_seconds"], judgement["short_seconds"]
    return f"{duration_of(long)}/{duration_of(short)}"


def _policies(row: SLO) -> list[str]:
    return [name_of(judgement) for judgement in row.judgements]


def _burn(row: SLO, policy: str) -> float | None:
    """The burn rate of the policy's long window, of the budget that of the period."""
    if policy == BUDGET:
        return None if row.budget_remaining is None else 1.0 - row.budget_remaining
    for judgement in row.judgements:
        if name_of(judgement) == policy:
            burn: float | None = judgement["long_burn"]
            return burn
    return None


def _open(slos: Iterable[UUID]) -> dict[UUID, dict[str, SLOBreach]]:
    found: dict[UUID, dict[str, SLOBreach]] = {}
    rows = SLOBreach.objects.filter(slo__in=list(slos), ended_at=None)
    rows = rows.exclude(severity=SLOBreach.Severity.OBJECTIVE)
    for breach in rows.select_related("slo__service"):
        found.setdefault(breach.slo_id, {})[breach.policy] = breach
    return found


def _begun(row: SLO, one: Burning, at: datetime) -> SLOBreach:
    return SLOBreach(
        slo=row,
        policy=one.policy,
        severity=one.severity,
        factor=one.factor,
        started_at=at,
        burn_rate=one.burn,
        peak_burn_rate=one.burn,
    )


def _over(breach: SLOBreach, at: datetime) -> SLOBreach:
    breach.ended_at = max(at, breach.started_at)
    return breach


def _disabled(at: datetime) -> list[SLOBreach]:
    rows = SLOBreach.objects.filter(ended_at=None, slo__enabled=False)
    found = [_over(breach, at) for breach in rows.select_related("slo__service")]
    for breach in found:
        breach.ended_by = EDIT
    return found


def worst_of(rows: Iterable[SLOBreach]) -> float | None:
    """The highest burn rate of these; a spent budget's is about the whole period and left out."""
    rates = [
        row.peak_burn_rate
        for row in rows
        if row.peak_burn_rate is not None and row.policy != BUDGET
    ]
    return max(rates, default=None)
