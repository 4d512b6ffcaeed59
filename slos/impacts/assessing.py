"""The impact of one incident: claimed, counted, computed, written.

A row asks for it (`IncidentImpact.wanted_at`), a claim with a lease keeps two workers from doing
the same, and a wish that arrives meanwhile is done after. Nothing is asked of a source with a
transaction open; the result is written only while the claim holds and the incident goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from incidents import live
from incidents.models import Incident, Service
from slos import breaches
from slos.breaches.linking import link_incident
from slos.breaches.objectives import follow_objectives
from slos.burn import Events
from slos.evaluating import evaluation, samples
from slos.impact import Figure, Totals, totals
from slos.impacts import shapes, telling
from slos.impacts.computing import (
    NO_SLO,
    OfService,
    OfSLO,
    Whole,
    of_service,
    of_slo,
    severity_of,
    whole_period,
)
from slos.impacts.counting import Counted, Span, count, keep, users_now, usual_source
from slos.impacts.upstream import Upstream, callers, hit
from slos.models import SLO, IncidentImpact, SLOBreach
from slos.sloth_rules import period_seconds

logger = logging.getLogger("studio.slos")
LEASE = timedelta(seconds=90)
PANEL = "impact"
NONE_BURNED = Figure(None, "the largest of the SLOs", (), NO_SLO)


@dataclass(frozen=True)
class Assessed:
    """Everything that is known of an incident's cost at `span.at`."""

    span: Span
    services: Sequence[OfService]
    counted: dict[UUID, Counted]
    upstream: Sequence[Upstream]

    @property
    def slos(self) -> list[OfSLO]:
        return [slo for service in self.services for slo in service.slos]


def assess(incident_id: UUID, *, evaluate: bool = True, at: float | None = None) -> bool:
    """Compute the impact anew as of `at` (now); False when another does, or the incident is over.

    With `evaluate` the SLOs of its services are evaluated first. What fails is written on the row.
    """
    done = False
    while claim := _claim(incident_id):
        incident = Incident.objects.get(pk=incident_id)
        try:
            done = _assess(incident, claim, evaluate, at or time.time()) or done
        except Exception as error:
            # a bug, or the database: the next evaluation wants it again
            logger.exception("the impact of %s could not be computed", incident.reference)
            _release(claim, f"{type(error).__name__}: {error}"[:2000])
            return False
        _release(claim, "")
    return done


def want(incident_id: UUID) -> None:
    """Have the impact computed; whoever is at it does it once more."""
    now = timezone.now()
    row, made = IncidentImpact.objects.get_or_create(
        incident_id=incident_id, defaults={"wanted_at": now}
    )
    if not made and row.frozen_at is None:
        IncidentImpact.objects.filter(pk=row.pk, frozen_at=None).update(wanted_at=now)


def _claim(incident_id: UUID) -> IncidentImpact | None:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    claimed = IncidentImpact.objects.filter(
        free, pk=incident_id, wanted_at__isnull=False, frozen_at=None
    ).update(lease_until=now + LEASE, attempt=F("attempt") + 1, wanted_at=None)
    return IncidentImpact.objects.get(pk=incident_id) if claimed else None


def _release(claim: IncidentImpact, error: str) -> None:
    held = IncidentImpact.objects.filter(pk=claim.pk, attempt=claim.attempt)
    held.update(lease_until=None, error=error)


def _assess(incident: Incident, claim: IncidentImpact, evaluate: bool, at: float) -> bool:
    affected = [row.service for row in incident.affected.select_related("service")]
    around = callers(incident, affected)
    near = [service for service, _hops, _via in around]
    own = _slos(affected)
    if evaluate and own:
        evaluation.evaluate(at, own)
        own = _slos(affected)
    others = _slos(near)
    span = Span(incident.started_at.timestamp(), at)
    counted = count([*own, *others], span, claim.counted)
    upstream = hit(incident, around, others, counted)
    return _write(
        incident, claim, Assessed(span, _services(affected, own, counted, span), counted, upstream)
    )


def _slos(services: Sequence[Service]) -> list[SLO]:
    rows = SLO.objects.filter(service__in=services, enabled=True)
    return list(rows.select_related("service", "data_source").order_by("name"))


def _services(
    affected: Sequence[Service], slos: Sequence[SLO], counted: dict[UUID, Counted], span: Span
) -> list[OfService]:
    wholes = _wholes(slos, counted, span)
    found = []
    for service in affected:
        mine = [
            of_slo(slo, counted[slo.pk], wholes[slo.pk])
            for slo in slos
            if slo.service_id == service.pk
        ]
        users = users_now(service, usual_source(service.environment), span.at)
        found.append(of_service(service, mine, span, users))
    return found


def _wholes(slos: Sequence[SLO], counted: dict[UUID, Counted], span: Span) -> dict[UUID, Whole]:
    end = samples.boundary(span.at)
    spans: dict[tuple[float, float], list[UUID]] = {}
    starts: dict[UUID, float] = {}
    definitions = {slo.pk: slo.definition() for slo in slos if not counted[slo.pk].error}
    for pk, definition in definitions.items():
        starts[pk] = evaluation.period_start(definition, span.at)
        spans.setdefault((starts[pk], end), []).append(pk)
    sums = samples.sums(spans)
    found = {slo.pk: Whole(None, "its definition cannot be read") for slo in slos}
    for pk, definition in definitions.items():
        stored = sums.get((pk, end - starts[pk]), Events(0.0, 0.0, 0.0))
        found[pk] = whole_period(
            stored,
            stored.present * (end - starts[pk]),
            counted[pk].before,
            float(settings.IMPACT_BASELINE_SECONDS),
            period_seconds(definition),
        )
    return found


def _write(incident: Incident, claim: IncidentImpact, found: Assessed) -> bool:
    """Rows, the incident's summary, the timeline and the page, at once; False when fenced off."""
    with transaction.atomic():
        live.changed(incident.pk, PANEL)
        now = Incident.objects.get(pk=incident.pk)
        held = IncidentImpact.objects.filter(
            pk=claim.pk, attempt=claim.attempt, frozen_at=None
        ).select_for_update()
        row = held.first()
        if row is None or now.is_resolved or now.merged_into_id:
            return False
        at = samples.when(found.span.at)
        link_incident(now)
        follow_objectives(now, {one.slo: one.counted.during for one in found.slos}, at)
        broken = list(breaches.of_incident(now))
        all_of_it = totals([one.impact for one in found.services])
        row.figures = _figures(all_of_it, found, _peaks(broken))
        row.services = [shapes.service_json(one, broken) for one in found.services]
        row.upstream = [shapes.upstream_json(one) for one in found.upstream]
        row.counted = keep(found.counted, found.span.start)
        row.computed_at = at
        row.told = telling.tell(now, row.figures, broken, row.told, at)
        row.save(
            update_fields=["figures", "services", "upstream", "counted", "computed_at", "told"]
        )
        summary = None
        if found.slos or broken:
            summary = shapes.summary(
                row.figures,
                found.slos,
                broken,
                currency=settings.IMPACT_CURRENCY,
                money_step=settings.IMPACT_MONEY_STEP,
                users_step=settings.IMPACT_USERS_STEP,
                computed_at=at.isoformat(),
            )
        Incident.objects.filter(pk=now.pk).update(business_impact=summary)
    return True


def _peaks(broken: Sequence[SLOBreach]) -> dict[UUID, float]:
    """The highest burn rate of the breaches of each SLO, of burn policies and objectives: that
    of a spent budget is about the whole period."""
    found: dict[UUID, float] = {}
    for breach in broken:
        if breach.severity != SLOBreach.Severity.BUDGET and breach.peak_burn_rate is not None:
            found[breach.slo_id] = max(found.get(breach.slo_id, 0.0), breach.peak_burn_rate)
    return found


def _figures(all_of_it: Totals, found: Assessed, peaks: dict[UUID, float]) -> dict[str, Any]:
    burned = [one.burned for one in found.slos if one.burned.value is not None]
    worst = max(burned, key=lambda figure: figure.value or 0.0, default=None)
    if worst is None:
        missing = "; ".join(f"{o.slo.name}: {o.burned.missing}" for o in found.slos) or NO_SLO
        worst = Figure(None, NONE_BURNED.formula, (), missing)
    return shapes.figures_json(all_of_it, worst, severity_of(found.slos, peaks))
