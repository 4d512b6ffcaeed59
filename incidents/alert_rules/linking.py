"""Gives an incident the service that its alerts name and the catalogue did not know."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from incidents import edits, live, signals
from incidents.intake.placement import key_with_service
from incidents.intake.reading import SHIPPED, key_name, slug_of
from incidents.models import (
    AlertOccurrence,
    AlertReading,
    Incident,
    NumberSequence,
    Service,
)


def link(*, incident_id: UUID, named: str, slug: str, actor: User) -> Service:
    """Link what alerts call `named` to the service `slug` of the incident's environment.

    Without a slug the service is made. A service of another name goes into the service map, so
    that later alerts find it; the incident's key follows, so that they join it. Raises
    ValidationError for a name that is no slug or is not waiting to be linked,
    Service.DoesNotExist for a slug that is not there.
    """
    with transaction.atomic():
        NumberSequence.lock("incident")  # no incident of the new key opens meanwhile
        incident = edits.locked(incident_id)
        waiting = incident.occurrences.filter(service=None, joined_by__named=named)
        if not waiting.exists():
            raise ValidationError(f"No alert of {incident.reference} waits for {named[:80]!r}.")
        service = _service(incident.environment, named, slug)
        if slug_of(named) != service.slug:
            _translate(named, service.slug)
        AlertOccurrence.objects.filter(pk__in=waiting.values("pk")).update(service=service)
        edits.add_services(
            incident=incident,
            services=[service],
            reason=f"Its alerts name it {named}.",
            actor=actor,
        )
        _rekey(incident, named, service.slug)
        live.changed(incident.pk, "header", "services", "alerts")
        signals.service_linked.send(Incident, incident=incident, service=service, actor=actor)
    return service


def unlinked(incident: Incident) -> list[str]:
    """What its alerts name and the catalogue does not know."""
    rows = incident.occurrences.filter(service=None).filter(joined_by__isnull=False)
    named = rows.values_list("joined_by__named", flat=True).distinct().order_by()
    return sorted(name for name in named if name)


def _service(environment: str, named: str, slug: str) -> Service:
    if slug:
        return Service.objects.get(environment=environment, slug=slug)
    made = Service(environment=environment, slug=slug_of(named), name=named[:200])
    found = Service.objects.filter(environment=environment, slug=made.slug).first()
    if found is not None:
        return found
    made.full_clean()
    made.save()
    return made


def _translate(named: str, slug: str) -> None:
    row = AlertReading.objects.filter(scope="").first() or AlertReading(
        scope="",
        service_steps=list(SHIPPED.steps),
        severity_labels=list(SHIPPED.severity_labels),
        severity_values={k: str(v) for k, v in SHIPPED.severity_values.items()},
        severity_default=SHIPPED.severity_default,
        version=0,
    )
    row.service_names = {**row.service_names, named: slug}
    row.version += 1
    row.save()


def _rekey(incident: Incident, named: str, slug: str) -> None:
    """Let the incident answer to the key that its alerts have from now on, if nobody does."""
    key = incident.correlation_key
    new = key_with_service(key, incident.environment, key_name(named), slug) if key else None
    if new is None or Incident.objects.active().filter(correlation_key=new).exists():
        return
    Incident.objects.filter(pk=incident.pk).update(correlation_key=new)
