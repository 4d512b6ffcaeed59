from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import edits, lifecycle, live
from incidents.as_it_was import affected_then, as_it_was
from incidents.merges import merging, unmerging
from incidents.models import AffectedService, FieldChange, Incident, Service, Status
from tests.incidents.conftest import MakeIncident, MakeService

pytestmark = pytest.mark.django_db


def now() -> datetime:
    """A moment after all that was done, and before all that follows."""
    return timezone.now()


def slugs(rows: list[AffectedService]) -> list[str]:
    return [row.service.slug for row in rows]


def test_columns_are_those_of_each_moment(make_incident: MakeIncident, sam: User) -> None:
    made = make_incident()
    opened = now()
    lifecycle.acknowledge(incident_id=made.pk, actor=sam)
    acknowledged = now()
    edits.edit(
        incident_id=made.pk, actor=sam, changes={"title": "Pool exhausted", "severity": "low"}
    )
    lifecycle.mitigate(incident_id=made.pk, actor=sam)
    mitigated = now()
    lifecycle.resolve(incident_id=made.pk, actor=sam, root_cause="Pool", resolution="Bigger pool")
    made.refresh_from_db()

    def seen(at: datetime) -> tuple[object, ...]:
        then = as_it_was(made, at)
        return (
            then.status,
            then.title,
            then.severity,
            then.root_cause,
            then.acknowledged_at,
            then.mitigated_at,
            then.resolved_at,
        )

    ack, mit, res = made.acknowledged_at, made.mitigated_at, made.resolved_at
    assert seen(opened) == (Status.OPEN, "Checkout fails", "high", "", None, None, None)
    assert seen(acknowledged) == ("investigating", "Checkout fails", "high", "", ack, None, None)
    assert seen(mitigated) == ("mitigated", "Pool exhausted", "low", "", ack, mit, None)
    assert seen(now()) == ("resolved", "Pool exhausted", "low", "Pool", ack, mit, res)
    assert made.status == Status.RESOLVED


def test_reopened_incident_was_resolved_before(make_incident: MakeIncident, sam: User) -> None:
    made = make_incident()
    lifecycle.resolve(incident_id=made.pk, actor=sam)
    resolved = now()
    lifecycle.reopen(incident_id=made.pk, actor=sam)
    reopened = now()
    made.refresh_from_db()

    then, after = as_it_was(made, resolved), as_it_was(made, reopened)

    assert (then.status, then.resolved_at is not None) == (Status.RESOLVED, True)
    assert (after.status, after.resolved_at) == (Status.INVESTIGATING, None)


def test_corrected_time_has_its_old_value_before_the_correction(
    make_incident: MakeIncident, sam: User
) -> None:
    made = make_incident()
    lifecycle.acknowledge(incident_id=made.pk, actor=sam)
    made.refresh_from_db()
    before, earlier = now(), made.started_at - timedelta(minutes=9)
    old = {"started_at": made.started_at, "acknowledged_at": made.acknowledged_at}
    for name, value in old.items():
        assert value is not None
        FieldChange.objects.create(
            incident=made, field=name, old=value.isoformat(), new=earlier.isoformat(), actor=sam
        )
        setattr(made, name, earlier)
    made.save(update_fields=list(old))

    then, after = as_it_was(made, before), as_it_was(made, now())

    assert {name: getattr(then, name) for name in old} == old
    assert (after.started_at, after.acknowledged_at) == (earlier, earlier)


def test_merge_and_what_it_brought_are_known_from_then_on(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    start = timezone.now() - timedelta(minutes=30)
    source = make_incident("two", services=[make_service("cart")], started_at=start)
    target = make_incident("one")
    before, was = now(), target.started_at
    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam)
    merged = now()
    source.refresh_from_db()
    target.refresh_from_db()

    assert as_it_was(source, before).merged_into is None
    assert as_it_was(source, merged).merged_into == target
    assert as_it_was(target, before).started_at == was
    assert as_it_was(target, merged).started_at == start
    assert slugs(affected_then(target, before)) == ["checkout"]
    assert slugs(affected_then(target, merged)) == ["checkout", "cart"]

    unmerging.unmerge(source_id=source.pk, actor=sam)
    source.refresh_from_db()
    assert as_it_was(source, merged).merged_into == target
    assert as_it_was(source, now()).merged_into is None


def test_services_are_those_named_at_the_moment(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    made, cart = make_incident(), make_service("cart")
    checkout = Service.objects.get(slug="checkout")
    first = now()
    edits.edit(incident_id=made.pk, actor=sam, changes={}, services=[cart])
    second = now()
    edits.edit(incident_id=made.pk, actor=sam, changes={}, services=[cart, checkout])
    third = now()

    named = [slugs(affected_then(made, at)) for at in (first, second, third)]

    assert [sorted(each) for each in named] == [["checkout"], ["cart"], ["cart", "checkout"]]


def test_recovery_is_not_known_before_it_happened(make_incident: MakeIncident) -> None:
    made = make_incident()
    before = now()
    made.affected.update(recovered_at=now())

    assert [row.recovered_at for row in affected_then(made, before)] == [None]
    assert affected_then(made, None)[0].recovered_at is not None


def test_panels_of_then_offer_nothing_to_do(make_incident: MakeIncident) -> None:
    made = make_incident()
    at = now()
    shown = as_it_was(made, at)

    drawn: Callable[[live.Panel], str] = lambda p: live.render(p, shown, as_of=at, oob=False)  # noqa: E731
    acting = [p.name for p in live.panels() if "hx-post" in drawn(p) or "<button" in drawn(p)]

    assert acting == []


def test_incident_is_left_alone(make_incident: MakeIncident) -> None:
    made = make_incident()
    lifecycle.resolve(incident_id=made.pk, actor=None)
    made.refresh_from_db()

    as_it_was(made, made.created_at)

    assert Incident.objects.get(pk=made.pk).status == Status.RESOLVED
