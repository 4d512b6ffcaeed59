"""Blast radius: who calls the affected services, and how much each of them is hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from correlation.models import Correlation
from correlation.panels import newest_and_shown
from incidents.models import Incident, Service, ServiceDependency
from slos.burn import error_budget
from slos.impacts.counting import Counted
from slos.models import SLO

HOPS = 3
UNKNOWN = "no SLO counts its requests, and no analysis saw its errors"


@dataclass(frozen=True)
class Upstream:
    """A caller, `hops` calls away. `now` and `before` are failed shares of its requests, None
    where nobody knows; `source` says where they are from."""

    service: Service
    hops: int
    via: str
    now: float | None
    before: float | None
    source: str

    @property
    def rise(self) -> float | None:
        if self.now is None:
            return None
        return max(self.now - (self.before or 0.0), 0.0)


def callers(incident: Incident, affected: Iterable[Service]) -> list[tuple[Service, int, str]]:
    """(service, hops, through whom) of all that call the affected ones, nearest first."""
    edges = ServiceDependency.objects.filter(
        caller__environment=incident.environment, callee__environment=incident.environment
    ).select_related("caller", "callee")
    services: dict[str, Service] = {}
    calls: dict[str, list[str]] = {}
    for edge in edges:
        services[edge.caller.slug] = edge.caller
        calls.setdefault(edge.callee.slug, []).append(edge.caller.slug)
    level = sorted(service.slug for service in affected)
    seen, found = set(level), []
    for hops in range(1, HOPS + 1):
        after: list[str] = []
        for slug in level:
            for caller in sorted(calls.get(slug, ())):
                if caller not in seen:
                    seen.add(caller)
                    after.append(caller)
                    found.append((services[caller], hops, slug))
        level = after
    return found


def hit(
    incident: Incident,
    around: Sequence[tuple[Service, int, str]],
    slos: Sequence[SLO],
    counted: Mapping[UUID, Counted],
) -> list[Upstream]:
    """How much each is hit: by its ratio SLO with the highest share, else by the last analysis."""
    seen = _seen(incident)
    found = []
    for service, hops, via in around:
        ratios = [
            slo
            for slo in slos
            if slo.service_id == service.pk and slo.indicator.get("kind") == "ratio"
        ]
        shares = [one for slo in ratios if (one := _by_slo(slo, counted.get(slo.pk))) is not None]
        if shares:
            now, before, source = max(shares)
            usual = None if before < 0 else before
            found.append(Upstream(service, hops, via, now, usual, source))
        elif service.slug in seen:
            found.append(Upstream(service, hops, via, *seen[service.slug]))
        else:
            found.append(Upstream(service, hops, via, None, None, UNKNOWN))
    return found


def _by_slo(slo: SLO, counted: Counted | None) -> tuple[float, float, str] | None:
    """(share now, share before or -1, source); the last five minutes as they were evaluated."""
    burn = slo.burn_rates.get("5m")
    if burn is None or slo.error:
        return None
    usual = counted.before.sli if counted is not None else None
    before = -1.0 if usual is None else 1.0 - usual
    return burn * error_budget(slo.target), before, f"{slo.name}, the last 5 minutes"


def _seen(incident: Incident) -> dict[str, tuple[float | None, float | None, str]]:
    """{service: (failed share, share before, source)} by the evidence of the run that is shown."""
    _newest, run = newest_and_shown(incident, None)
    if run is None:
        return {}
    rows = Correlation.objects.filter(analysis=run, signal="error_ratio", unit="ratio")
    source = f"analysis of {run.finished_at:%H:%M:%S} UTC" if run.finished_at else "analysis"
    return {
        row.service: (row.value, row.baseline, f"{source}, error rate")
        for row in rows.order_by("-rank")
    }
