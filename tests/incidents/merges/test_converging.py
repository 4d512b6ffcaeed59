"""Open incidents whose analyses name one cause become one, or are proposed to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import lifecycle
from incidents.merges import merging, proposals
from incidents.merges.converging import Converged, converge, sweep
from incidents.merges.unmerging import unmerge
from incidents.models import Incident, IncidentMerge, MergeProposal, Service
from tests.incidents.alert_rows import fire, make_series
from tests.incidents.threads import in_threads
from timeline.models import Kind

NOW = timezone.now()
MakeAnalysed = Callable[..., Incident]


@pytest.fixture
def make_analysed(db: None) -> MakeAnalysed:
    """An incident on a service of its own whose analysis has named a cause."""

    def make(
        slug: str,
        confidence: float | None = 0.9,
        *,
        minutes_ago: float = 0.0,
        cause: tuple[str, str] = ("payment", "pool"),
        **columns: Any,
    ) -> Incident:
        service, _ = Service.objects.get_or_create(slug=slug, defaults={"name": slug})
        incident = lifecycle.open_incident(
            title=f"{slug} fails",
            severity="high",
            services=[service],
            started_at=NOW - timedelta(minutes=minutes_ago),
            allow_duplicate=True,
            **columns,
        ).incident
        Incident.objects.filter(pk=incident.pk).update(
            top_cause="Pool exhausted",
            top_cause_service=cause[0],
            top_cause_kind=cause[1],
            top_cause_confidence=confidence,
        )
        incident.refresh_from_db()
        return incident

    return make


def active() -> list[str]:
    return [incident.title.split()[0] for incident in Incident.objects.active().order_by("number")]


def test_two_of_one_cause_become_the_older(make_analysed: MakeAnalysed) -> None:
    caller, culprit = make_analysed("frontend"), make_analysed("payment", minutes_ago=3)

    found = converge(culprit.pk)

    assert found == Converged(merged=(culprit.pk,))
    row = IncidentMerge.objects.get()
    assert (row.source, row.target, row.automatic, row.actor) == (culprit, caller, True, None)
    assert (row.similarity, row.similarity_parts) == (0.9, {"cause": 0.9, "time": 0.9})
    assert row.reason == "Their analyses name the same cause: pool at payment."
    assert active() == ["frontend"]


@pytest.mark.parametrize(
    "other",
    [
        {"cause": ("payment", "crash")},
        {"cause": ("cart", "pool")},
        {"cause": ("payment", "")},
        {"environment": "staging"},
    ],
)
def test_others_stay_apart(make_analysed: MakeAnalysed, other: dict[str, Any]) -> None:
    one = make_analysed("frontend")
    make_analysed("cart", **other)

    found = converge(one.pk)

    assert (found, MergeProposal.objects.count()) == (Converged(), 0)


def test_any_number_joins_the_first_that_was_opened(make_analysed: MakeAnalysed) -> None:
    """Also the one that is like another source only, not like the survivor."""
    make_analysed("frontend", minutes_ago=0)
    make_analysed("checkout", 0.95, minutes_ago=8)
    last = make_analysed("payment", 0.95, minutes_ago=16)

    found = converge(last.pk)

    assert len(found.merged) == 2
    assert active() == ["frontend"]


def test_less_alike_is_proposed_on_both(make_analysed: MakeAnalysed) -> None:
    older, newer = make_analysed("frontend", 0.7), make_analysed("payment", 0.6, minutes_ago=3)

    found = converge(newer.pk)

    pair = MergeProposal.objects.get()
    assert found == Converged(proposed=1)
    assert (pair.older, pair.newer, pair.state) == (older, newer, "open")
    assert pair.parts == {"cause": 0.6481, "time": 0.9}
    for incident in (older, newer):
        told = incident.timeline.get(kind=Kind.MERGE_PROPOSAL)
        assert told.title.startswith("May be the same as INC-")
    assert converge(newer.pk) == Converged(proposed=1)
    assert older.timeline.filter(kind=Kind.MERGE_PROPOSAL).count() == 1


def test_much_less_alike_is_nothing(make_analysed: MakeAnalysed) -> None:
    make_analysed("frontend", 0.4)
    newer = make_analysed("payment", 0.3, minutes_ago=3)

    assert (converge(newer.pk), MergeProposal.objects.count()) == (Converged(), 0)


def test_each_is_proposed_with_the_one_it_is_most_like(make_analysed: MakeAnalysed) -> None:
    first, second = make_analysed("frontend", 0.6), make_analysed("checkout", 0.7)
    third = make_analysed("payment", 0.7)

    converge(third.pk)

    pairs = MergeProposal.objects.order_by("newer__number").values_list("older", "newer")
    assert list(pairs) == [(first.pk, second.pk), (second.pk, third.pk)]


def test_failures_one_after_the_other_stay_two(make_analysed: MakeAnalysed) -> None:
    """The alerts of the first had ended before the second began."""
    earlier, later = make_analysed("frontend", minutes_ago=9), make_analysed("payment")
    series = make_series("Errors")
    fire(earlier, series, resolved_at=NOW - timedelta(minutes=1))

    assert converge(later.pk) == Converged()
    fire(earlier, series)
    assert len(converge(later.pk).merged) == 1


def test_what_a_responder_confirmed_is_certain(make_analysed: MakeAnalysed) -> None:
    make_analysed("frontend", None)
    newer = make_analysed("payment", 0.7)

    assert len(converge(newer.pk).merged) == 1  # the mean of sqrt(1 * 0.7) thrice and 1


def test_dismissed_pair_stays_apart(make_analysed: MakeAnalysed, sam: User) -> None:
    older, newer = make_analysed("frontend", 0.7), make_analysed("payment", 0.6)
    converge(newer.pk)

    proposals.dismiss(proposal_id=MergeProposal.objects.get().pk, actor=sam, reason="Two pools")
    Incident.objects.update(top_cause_confidence=0.99)

    assert converge(newer.pk) == Converged()
    assert MergeProposal.objects.get().state == "dismissed"
    assert active() == ["frontend", "payment"]
    told = older.timeline.filter(kind=Kind.MERGE_PROPOSAL).order_by("seq").last()
    assert (told.title, told.body) == (
        f"Not the same as {newer.reference} by sam: payment fails",
        "Two pools",
    )


def test_decided_proposal_is_not_decided_again(make_analysed: MakeAnalysed, sam: User) -> None:
    make_analysed("frontend", 0.7)
    converge(make_analysed("payment", 0.6).pk)
    pair = MergeProposal.objects.get()
    proposals.dismiss(proposal_id=pair.pk, actor=sam)

    with pytest.raises(proposals.AlreadyDecided):
        proposals.dismiss(proposal_id=pair.pk, actor=sam)


def test_pair_that_was_un_merged_does_not_meet_again_through_a_third(
    make_analysed: MakeAnalysed, sam: User
) -> None:
    first, second = make_analysed("frontend"), make_analysed("payment")
    converge(second.pk)
    unmerge(source_id=second.pk, actor=sam)

    third = make_analysed("checkout")
    converge(third.pk)

    assert active() == ["frontend", "payment"]
    third.refresh_from_db()
    assert third.merged_into == first
    assert converge(second.pk) == Converged()


def test_person_may_merge_what_was_taken_apart(make_analysed: MakeAnalysed, sam: User) -> None:
    first, second = make_analysed("frontend"), make_analysed("payment")
    converge(second.pk)
    unmerge(source_id=second.pk, actor=sam)

    merging.merge(source_id=second.pk, target_id=first.pk, actor=sam)

    assert active() == ["frontend"]


def test_proposal_is_withdrawn_when_it_no_longer_holds(make_analysed: MakeAnalysed) -> None:
    older, newer = make_analysed("frontend", 0.7), make_analysed("payment", 0.6)
    converge(newer.pk)

    Incident.objects.filter(pk=newer.pk).update(top_cause_service="cart")
    converge(newer.pk)

    assert MergeProposal.objects.get().state == "withdrawn"
    Incident.objects.filter(pk=newer.pk).update(top_cause_service="payment")
    converge(older.pk)
    assert MergeProposal.objects.get().state == "open"
    lifecycle.resolve(incident_id=older.pk, actor=None)
    assert MergeProposal.objects.get().state == "withdrawn"


def test_thresholds_are_settings(make_analysed: MakeAnalysed, settings: Any) -> None:
    make_analysed("frontend", 0.99)
    newer = make_analysed("payment", 0.99)

    settings.MERGE_ABOVE = 1.5

    assert converge(newer.pk) == Converged(proposed=1)


def test_sweep_looks_at_every_cause_that_several_name(make_analysed: MakeAnalysed) -> None:
    for slug, cause in [("a", "payment"), ("b", "payment"), ("c", "cart"), ("d", "cart")]:
        make_analysed(slug, cause=(cause, "pool"))
    make_analysed("e", cause=("redis", "pool"))

    assert sweep() == 2
    assert sweep() == 0
    assert active() == ["a", "c", "e"]


@pytest.mark.django_db(transaction=True)
def test_analyses_that_end_at_once_merge_once(make_analysed: MakeAnalysed) -> None:
    incidents = [make_analysed(slug) for slug in ("frontend", "checkout", "payment")]
    merged: list[int] = []

    in_threads(lambda n: merged.append(len(converge(incidents[n].pk).merged)), count=3)

    assert sorted(merged) == [0, 0, 2]
    assert active() == ["frontend"]
    assert set(IncidentMerge.objects.values_list("target", flat=True)) == {incidents[0].pk}
