"""What the timeline and the channels are told: breaches, recoveries, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from incidents.models import Incident
from incidents.notify import changes
from slos.breaches.following import worst_of
from slos.impacts.wording import impact_words
from slos.models import SLO, SLOBreach
from timeline.models import Kind, Severity
from timeline.narrate import unless_sealed
from timeline.record import Entry

SOURCE = "slo"
FIGURES = ("users_affected", "revenue_at_risk_per_hour", "error_budget_burned_percent")
DOUBLED = ("error_budget_burned_percent",)
"""What only ever grows is told when it has doubled."""


def tell(
    incident: Incident,
    figures: Mapping[str, Any],
    breaches: Sequence[SLOBreach],
    told: Mapping[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """Record what is new; what has been told by now. In the caller's transaction.

    `told` is what the last call gave. Several SLOs that broke or recovered since are one event.
    """
    tell_breaches(incident, breaches)
    now = {name: figures[name]["value"] for name in FIGURES}
    if not _material(now, told.get("figures", {})):
        return dict(told)
    title, body = impact_words(figures, str(settings.IMPACT_CURRENCY))
    entry = Entry(
        kind=Kind.IMPACT,
        severity=Severity.WARNING,
        title=title,
        body=body,
        source=SOURCE,
        occurred_at=at,
        data={"figures": {name: one["value"] for name, one in figures.items()}},
    )
    unless_sealed(incident, [entry])
    return {**told, "figures": now}


def tell_breaches(incident: Incident, breaches: Sequence[SLOBreach]) -> None:
    """An SLO is breached with its first row, and recovered when none of its rows is open."""
    by_slo: dict[SLO, list[SLOBreach]] = {}
    for breach in breaches:
        by_slo.setdefault(breach.slo, []).append(breach)
    broke = [slo for slo, rows in by_slo.items() if _broke(rows)]
    healed = [slo for slo, rows in by_slo.items() if _healed(rows)]
    entries = []
    if broke:
        entries.append(_breached(broke, by_slo))
    if healed:
        entries.append(_recovered(healed, by_slo))
    unless_sealed(incident, entries)
    _notify(incident, broke, by_slo, breached=True)
    _notify(incident, healed, by_slo, breached=False)
    now = timezone.now()
    new = [row.pk for row in breaches if row.told_at is None]
    SLOBreach.objects.filter(pk__in=new).update(told_at=now)
    over = [row.pk for slo in by_slo for row in by_slo[slo] if _is_over(row)]
    SLOBreach.objects.filter(pk__in=over, end_told_at=None).update(end_told_at=now)


def _is_over(row: SLOBreach) -> bool:
    return row.ended_at is not None


def _broke(rows: Sequence[SLOBreach]) -> bool:
    """A row that is new while every other one that was told of is told to be over."""
    new = [row for row in rows if row.told_at is None]
    standing = [row for row in rows if row.told_at is not None and row.end_told_at is None]
    return bool(new) and not standing


def _healed(rows: Sequence[SLOBreach]) -> bool:
    return all(map(_is_over, rows)) and any(row.end_told_at is None for row in rows)


def _breached(slos: Sequence[SLO], by_slo: Mapping[SLO, Sequence[SLOBreach]]) -> Entry:
    firsts = [min(_new(by_slo[slo]), key=lambda row: row.started_at) for slo in slos]
    lines = [f"- {slo.service.slug}, {slo}: {_words(by_slo[slo])}" for slo in slos]
    one = f"SLO breached: {slos[0]} of {slos[0].service.slug}"
    pages = any(row.severity == "page" for slo in slos for row in by_slo[slo])
    return Entry(
        kind=Kind.SLO_BREACH,
        severity=Severity.CRITICAL if pages else Severity.HIGH,
        title=one if len(slos) == 1 else f"{len(slos)} SLOs breached",
        body="\n".join(lines),
        source=SOURCE,
        occurred_at=min(row.started_at for row in firsts),
        data={"slos": [_data(slo, by_slo[slo]) for slo in slos]},
    )


def _recovered(slos: Sequence[SLO], by_slo: Mapping[SLO, Sequence[SLOBreach]]) -> Entry:
    ends = [row.ended_at for slo in slos for row in by_slo[slo] if row.ended_at is not None]
    one = f"SLO recovered: {slos[0]} of {slos[0].service.slug}"
    return Entry(
        kind=Kind.SLO_RECOVERED,
        title=one if len(slos) == 1 else f"{len(slos)} SLOs recovered",
        body="\n".join(f"- {slo.service.slug}, {slo}" for slo in slos),
        source=SOURCE,
        occurred_at=max(ends),
        data={"slos": [_data(slo, by_slo[slo]) for slo in slos]},
    )


def _new(rows: Sequence[SLOBreach]) -> list[SLOBreach]:
    return [row for row in rows if row.told_at is None]


def _words(rows: Sequence[SLOBreach]) -> str:
    said = []
    for row in rows:
        rate = row.burn_rate if row.burn_rate is not None else row.peak_burn_rate
        burn = "" if rate is None else f", {rate:.3g} times as fast as the budget allows"
        said.append(f"{row.what}{burn}" if row.severity != "budget" else row.what)
    return "; ".join(said)


def _data(slo: SLO, rows: Sequence[SLOBreach]) -> dict[str, Any]:
    return {
        "name": slo.name,
        "service": slo.service.slug,
        "policies": [row.policy for row in rows],
        "peak_burn_rate": worst_of(rows),
    }


def _notify(
    incident: Incident,
    slos: Sequence[SLO],
    by_slo: Mapping[SLO, Sequence[SLOBreach]],
    *,
    breached: bool,
) -> None:
    if not slos:
        return
    rows = [row for slo in slos for row in by_slo[slo]]
    changes.slos_changed(
        incident,
        key=str(max(rows, key=lambda row: (row.started_at, str(row.pk))).pk),
        breached=breached,
        slos=[f"{slo} of {slo.service.slug}" for slo in slos],
        at=timezone.now(),
        burn_rate=worst_of(rows) if breached else None,
    )


def _material(now: Mapping[str, float | None], before: Mapping[str, float | None]) -> bool:
    """Whether a figure is known for the first time, or differs by more than the setting says."""
    for name, value in now.items():
        old = before.get(name)
        if value is None:
            continue
        if old is None:
            if value > 0:
                return True
            continue
        step = 1.0 if name in DOUBLED else settings.IMPACT_MATERIAL_CHANGE
        if abs(value - old) > step * max(old, 1e-9):
            return True
    return False
