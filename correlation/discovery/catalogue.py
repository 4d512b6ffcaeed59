"""Discovery's side of the catalogue: what it knows already, and writing what is proposed."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from correlation.discovery.proposals import Discovery, ProposedService
from correlation.discovery.sightings import Known
from correlation.found_as import found_as
from incidents.models import Service, ServiceDependency

SOURCE = "discovered"


@dataclass(frozen=True)
class Summary:
    """How many rows were written; `refused` says which services were not, and why."""

    services: int
    filled: int
    dependencies: int
    refused: tuple[str, ...] = ()


def known_services(environment: str) -> list[Known]:
    services = list(Service.objects.filter(environment=environment))
    found = found_as(services)
    return [
        Known(one.slug, one.namespace, one.role, one.name, dict(found[one.slug].names))
        for one in services
    ]


def known_calls(environment: str) -> set[tuple[str, str]]:
    rows = ServiceDependency.objects.filter(
        caller__environment=environment, callee__environment=environment
    )
    return set(rows.values_list("caller__slug", "callee__slug"))


@transaction.atomic
def apply(discovery: Discovery, environment: str) -> Summary:
    """Write what is new, all or nothing; people's values stay. Applied twice, nothing changes.

    Raises IntegrityError when somebody registers one of the services at the same moment.
    """
    rows = {
        row.slug: row for row in Service.objects.select_for_update().filter(environment=environment)
    }
    made = filled = dependencies = 0
    refused = []
    for one in discovery.services:
        if row := rows.get(one.slug):
            filled += _fill(row, one)
            continue
        row = Service(
            slug=one.slug,
            environment=environment,
            name=one.name,
            role=one.role,
            namespace=one.namespace,
            selectors=one.selectors,
        )
        try:
            row.full_clean()
        except ValidationError as error:
            refused.append(f"{one.slug}: {'; '.join(error.messages)}")
            continue
        row.save()
        rows[one.slug] = row
        made += 1
    for call in discovery.calls:
        if call.caller in rows and call.callee in rows:
            _, new = ServiceDependency.objects.get_or_create(
                caller=rows[call.caller], callee=rows[call.callee], defaults={"source": SOURCE}
            )
            dependencies += new
    return Summary(made, filled, dependencies, tuple(refused))


def _fill(row: Service, proposed: ProposedService) -> int:
    """Fill the empty columns of an existing row; 1 if anything was."""
    changed = []
    if not row.namespace and proposed.fills.get("namespace"):
        row.namespace = proposed.fills["namespace"]
        changed.append("namespace")
    given = row.selectors or {}
    added = {
        part: value
        for part, value in proposed.fills.get("selectors", {}).items()
        if part not in given or (isinstance(value, dict) and "names" not in given[part])
    }
    if added:
        row.selectors = given | {
            part: {**given[part], **value} if part in given else value
            for part, value in added.items()
        }
        changed.append("selectors")
    if changed:
        row.save(update_fields=[*changed, "updated_at"])
    return bool(changed)
