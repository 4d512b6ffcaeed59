"""Undoing a merge restores exactly, whatever was merged besides and in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from incidents import edits, lifecycle
from incidents.intake.placement import retired_key
from incidents.merges import merging
from incidents.merges.unmerging import unmerge
from incidents.models import AlertOccurrence, Incident, Service, Severity
from tests.incidents.alert_rows import fire, make_series
from tests.incidents.conftest import MakeIncident, MakeService

KEPT_OUT = {"version", "revision", "updated_at", "analysis_status"}
SLUGS = ("cart", "checkout", "redis")
pytestmark = pytest.mark.django_db


def state_of(incident: Incident) -> dict[str, Any]:
    """Every column that a merge may change and an un-merge gives back, and what belongs to it."""
    row = Incident.objects.values().get(pk=incident.pk)
    return {
        **{name: value for name, value in row.items() if name not in KEPT_OUT},
        "affected": sorted(
            incident.affected.values_list("service__slug", "impact", "recovered_at")
        ),
        "occurrences": sorted(incident.occurrences.values_list("pk", flat=True)),
    }


def services(*slugs: str) -> list[Service]:
    return [Service.objects.get_or_create(slug=s, defaults={"name": s})[0] for s in slugs]


made = st.tuples(
    st.sampled_from(Severity.values),
    st.lists(st.sampled_from(SLUGS), unique=True, max_size=3),
    st.integers(0, 3),  # minutes before now
    st.lists(st.sampled_from(["Errors", "Slow", "Full"]), unique=True, max_size=2),
    st.booleans(),  # its alerts have ended and its services recovered
)


def make(number: int, given: tuple[str, list[str], int, list[str], bool]) -> Incident:
    severity, slugs, minutes, names, over = given
    ago = timezone.now() - timedelta(minutes=minutes)
    incident = lifecycle.open_incident(
        title=f"Incident {number}",
        severity=severity,
        services=services(*slugs),
        started_at=ago,
        allow_duplicate=True,
        correlation_key=f"key {number}",
    ).incident
    for name in names:
        ended = ago + timedelta(seconds=number + 1)
        fire(incident, make_series(name), started_at=ago, resolved_at=ended)
        firing = make_series(name, incident=str(number))
        fire(incident, firing, started_at=ago, resolved_at=ended if over else None)
    if over:
        incident.affected.update(recovered_at=timezone.now())
    return incident


@given(
    st.lists(made, min_size=2, max_size=4),
    st.permutations(range(1, 4)),
    st.permutations(range(1, 4)),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_merges_undone_in_any_order_leave_everything_as_it_was(
    db: None,
    given: list[tuple[str, list[str], int, list[str], bool]],
    merged: list[int],
    undone: list[int],
) -> None:
    with transaction.atomic():
        incidents = [make(number, one) for number, one in enumerate(given)]
        before = [state_of(incident) for incident in incidents]
        target = incidents[0]

        for number in (n for n in merged if n < len(incidents)):
            merging.merge(source_id=incidents[number].pk, target_id=target.pk, actor=None)
        together = state_of(target)
        for number in (n for n in undone if n < len(incidents)):
            unmerge(source_id=incidents[number].pk, actor=None)

        assert len(together["occurrences"]) == AlertOccurrence.objects.count()
        assert [state_of(incident) for incident in incidents] == before
        transaction.set_rollback(True)


def test_unmerge_gives_back_a_firing_of_a_series_that_came_with_the_source(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    """Others that joined the survivor in between stay there."""
    cart = make_service("cart")
    source, target = make_incident("A", services=[cart]), make_incident("B")
    now = timezone.now()
    errors, slow, mine = make_series("Errors"), make_series("Slow"), make_series("Mine")
    old = fire(source, errors, service=cart, started_at=now - timedelta(minutes=2), resolved_at=now)
    kept = fire(target, mine, started_at=now - timedelta(minutes=1), resolved_at=now)
    fire(source, mine, started_at=now - timedelta(minutes=2), resolved_at=now)
    source.affected.update(recovered_at=now)
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)
    again = fire(target, errors, service=cart)
    stays = [fire(target, slow), fire(target, mine)]

    unmerge(source_id=source.pk, actor=None)

    assert {old, again} < set(source.occurrences.all())
    assert set(target.occurrences.all()) == {kept, *stays}
    assert source.affected.get().recovered_at is None  # it fails again


def test_unmerge_brings_the_end_of_alerts_that_ended_meanwhile(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    cart = make_service("cart")
    source, target = make_incident("A", services=[cart]), make_incident("B")
    firing = fire(source, make_series("Errors"), service=cart)
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)
    firing.resolved_at = timezone.now()
    firing.save()

    unmerge(source_id=source.pk, actor=None)

    assert source.affected.get().recovered_at == firing.resolved_at


def test_unmerge_leaves_what_a_person_changed_since(make_incident: MakeIncident, sam: User) -> None:
    target = make_incident("B", severity="low")
    source = make_incident("A", severity="high")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam)
    edits.edit(incident_id=target.pk, actor=sam, changes={"severity": "critical"})

    unmerge(source_id=source.pk, actor=sam)

    target.refresh_from_db()
    assert target.severity == "critical"


def test_severity_is_not_lowered_while_new_alerts_stay(make_incident: MakeIncident) -> None:
    target = make_incident("B", severity="low")
    source = make_incident("A", severity="critical")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)
    fire(target, make_series("Errors"))

    unmerge(source_id=source.pk, actor=None)

    target.refresh_from_db()
    assert target.severity == "critical"


def test_unmerge_of_what_is_not_merged_is_refused(make_incident: MakeIncident) -> None:
    with pytest.raises(lifecycle.TransitionRefused):
        unmerge(source_id=make_incident().pk, actor=None)


def test_unmerge_from_a_survivor_that_is_merged_is_refused(make_incident: MakeIncident) -> None:
    a, b, c = (make_incident(name) for name in "ABC")
    merging.merge(source_id=a.pk, target_id=b.pk, actor=None)
    merging.merge(source_id=b.pk, target_id=c.pk, actor=None)

    with pytest.raises(lifecycle.TransitionRefused):
        unmerge(source_id=a.pk, actor=None)
    unmerge(source_id=b.pk, actor=None)
    unmerge(source_id=a.pk, actor=None)

    assert Incident.objects.active().count() == 3


def test_chain_undone_from_its_end_restores_all(make_incident: MakeIncident) -> None:
    a, b, c = (make_incident(name, severity=s) for name, s in zip("ABC", Severity, strict=False))
    firings = [fire(one, make_series(one.title)) for one in (a, b, c)]
    before = [state_of(one) for one in (a, b, c)]
    merging.merge(source_id=a.pk, target_id=b.pk, actor=None)
    merging.merge(source_id=b.pk, target_id=c.pk, actor=None)
    assert c.occurrences.count() == len(firings)

    unmerge(source_id=b.pk, actor=None)
    unmerge(source_id=a.pk, actor=None)

    assert [state_of(one) for one in (a, b, c)] == before


def test_key_that_a_newer_incident_has_taken_stays_with_it(make_incident: MakeIncident) -> None:
    source = make_incident("A", correlation_key="service:cart")
    target = make_incident("B")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)
    lifecycle.resolve(incident_id=target.pk, actor=None)
    newer = make_incident("C", correlation_key="service:cart")

    unmerge(source_id=source.pk, actor=None)

    source.refresh_from_db()
    assert newer.correlation_key == "service:cart"
    assert source.correlation_key == retired_key("service:cart", source.number)
    assert source.status == "open"
