"""A merge marks its sources and lists what it moved; the survivor has what they had."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import lifecycle
from incidents.merges import merging
from incidents.merges.survivors import holder_of, members_of, survivor_of
from incidents.models import AffectedService, Incident, IncidentMerge, MergeProposal
from tests.incidents.alert_rows import fire, make_series
from tests.incidents.conftest import MakeIncident, MakeService
from tests.incidents.threads import in_threads


def test_merge_marks_the_source_and_moves_its_services(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    source = make_incident("A", services=[make_service("cart")])
    target = make_incident("B")

    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam)

    source.refresh_from_db()
    assert source.merged_into == target
    assert sorted(a.service.slug for a in target.affected.all()) == ["cart", "checkout"]
    with pytest.raises(lifecycle.TransitionRefused):
        lifecycle.acknowledge(incident_id=source.pk, actor=sam)


def test_merge_gives_the_survivor_the_worst_severity_and_the_earliest_times(
    make_incident: MakeIncident,
) -> None:
    early = timezone.now() - timedelta(hours=1)
    target = make_incident("B", severity="low")
    source = make_incident("A", severity="critical", started_at=early)

    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    target.refresh_from_db()
    assert (target.severity, target.started_at) == ("critical", early)
    assert target.detected_at < source.detected_at  # its own was earlier


def test_merge_lists_the_firings_that_moved(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    source, target = make_incident("A"), make_incident("B")
    errors, slow = make_series("Errors"), make_series("Slow")
    moved = [fire(source, errors), fire(source, slow)]
    now = timezone.now()
    own = fire(target, errors, started_at=now - timedelta(hours=1), resolved_at=now)

    row = merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    assert row.moved["occurrences"] == [str(one.pk) for one in moved]
    assert row.moved["kept"] == [str(own.pk)]
    assert target.occurrences.count() == 3


def test_service_that_had_recovered_fails_again_when_the_source_says_so(
    make_incident: MakeIncident,
) -> None:
    source, target = make_incident("A"), make_incident("B")
    target.affected.update(recovered_at=timezone.now())

    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    assert [row.recovered_at for row in target.affected.all()] == [None]


def test_survivor_without_services_gets_the_sources_as_they_were(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    source = make_incident("A", services=[make_service("cart"), make_service("redis")])
    target = make_incident("B", services=[])

    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    impacts = AffectedService.objects.filter(incident=target).values_list("service__slug", "impact")
    assert sorted(impacts) == [("cart", "primary"), ("redis", "secondary")]


def test_merge_by_hand_records_how_alike_the_two_were(make_incident: MakeIncident) -> None:
    started_at = timezone.now()
    source = make_incident("Cart fails", started_at=started_at)
    target = make_incident("Disk full", started_at=started_at)

    row = merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    assert (row.similarity, row.similarity_parts) == (
        0.6,
        {"service": 1.0, "title": 0.0, "time": 1.0},
    )


def test_any_number_is_merged_at_once_or_none(make_incident: MakeIncident, sam: User) -> None:
    target, *sources = [make_incident(f"Incident {n}") for n in range(4)]
    keys = [source.pk for source in sources]

    made = merging.merge_all(source_ids=keys, target_id=target.pk, actor=sam, reason="One storm")

    assert [row.source for row in made] == sources
    assert {row.reason for row in made} == {"One storm"}
    other = make_incident("Another")
    with pytest.raises(lifecycle.TransitionRefused):
        merging.merge_all(source_ids=[other.pk, keys[0]], target_id=target.pk, actor=sam)
    other.refresh_from_db()
    assert other.merged_into is None


def test_merge_into_itself_is_refused(make_incident: MakeIncident) -> None:
    one = make_incident()

    with pytest.raises(merging.CannotMerge):
        merging.merge(source_id=one.pk, target_id=one.pk, actor=None)
    with pytest.raises(merging.CannotMerge):
        merging.merge_all(source_ids=[], target_id=one.pk, actor=None)


def test_merge_of_a_resolved_incident_is_refused(make_incident: MakeIncident) -> None:
    source, target = make_incident("A"), make_incident("B")
    lifecycle.resolve(incident_id=source.pk, actor=None)

    with pytest.raises(lifecycle.TransitionRefused):
        merging.merge(source_id=source.pk, target_id=target.pk, actor=None)


def test_chain_of_merges_leads_to_its_end(make_incident: MakeIncident) -> None:
    a, b, c = (make_incident(name) for name in "ABC")
    merging.merge(source_id=a.pk, target_id=b.pk, actor=None)
    merging.merge(source_id=b.pk, target_id=c.pk, actor=None)

    a.refresh_from_db()

    assert survivor_of(a) == c
    assert survivor_of(c) == c
    assert members_of([c.pk]) == {c.pk: c.pk, b.pk: c.pk, a.pk: c.pk}


def test_key_of_a_merged_incident_leads_to_its_survivor(make_incident: MakeIncident) -> None:
    """What fires again on the merged incident's service does not open it a second time."""
    source = make_incident("Cart fails", correlation_key="service:cart")
    target = make_incident("Checkout fails", correlation_key="service:checkout")
    merging.merge(source_id=source.pk, target_id=target.pk, actor=None)

    joined = make_incident("Cart is slow", correlation_key="service:cart")

    assert joined == target
    lifecycle.resolve(incident_id=target.pk, actor=None)
    assert holder_of("service:cart") is None
    opened = make_incident("Cart is slow", correlation_key="service:cart")
    assert opened not in (source, target)


def test_merge_accepts_the_proposal_between_the_two_and_withdraws_the_others(
    make_incident: MakeIncident, sam: User
) -> None:
    a, b, c = (make_incident(name) for name in "ABC")
    between = MergeProposal.objects.create(older=a, newer=b, score=0.6)
    other = MergeProposal.objects.create(older=b, newer=c, score=0.6)

    merging.merge(source_id=b.pk, target_id=a.pk, actor=sam)

    between.refresh_from_db()
    other.refresh_from_db()
    assert (between.state, between.decided_by) == ("accepted", sam)
    assert other.state == "withdrawn"


@pytest.mark.django_db(transaction=True)
def test_two_that_are_merged_into_each_other_at_once_are_one(make_incident: MakeIncident) -> None:
    a, b = make_incident("A"), make_incident("B")
    pairs = [(a, b), (b, a)]
    refused: list[str] = []

    def merge(n: int) -> None:
        source, target = pairs[n]
        try:
            merging.merge(source_id=source.pk, target_id=target.pk, actor=None)
        except lifecycle.TransitionRefused as refusal:
            refused.append(str(refusal))

    in_threads(merge, count=2)

    assert len(refused) == 1
    assert IncidentMerge.objects.count() == 1
    assert Incident.objects.active().count() == 1
