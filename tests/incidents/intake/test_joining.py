"""Which incident firings come to: by key and window, reopened, next door, or when enough are
there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import lifecycle, signals
from incidents.intake import alerts, grouping, recovery, waiting
from incidents.intake.alertmanager import ReceivedAlert
from incidents.merges import merging
from incidents.merges.unmerging import unmerge
from incidents.models import (
    AlertOccurrence,
    AlertSource,
    Delivery,
    GroupingRule,
    Impact,
    Incident,
    ServiceDependency,
)
from tests.incidents.conftest import MakeService
from tests.incidents.threads import in_threads
from timeline.models import TimelineEvent

Fire = Callable[..., AlertOccurrence]


@pytest.fixture
def source(db: None) -> AlertSource:
    return alerts.source_of("alertmanager", "alertmanager")


@pytest.fixture
def fire(source: AlertSource) -> Fire:
    """One alert, delivered and grouped; `ago_seconds` is when it began."""

    def send(*, ago_seconds: float = 0, firing: bool = True, **labels: str) -> AlertOccurrence:
        labels = {"alertname": "HighErrorRate", "service": "checkout", **labels}
        starts_at = timezone.now() - timedelta(seconds=ago_seconds)
        name = "/".join(labels.values())
        received = ReceivedAlert(firing, labels, {}, name, "", starts_at)
        delivery = alerts.store(source, "{}", [received])
        grouping.run_waiting()
        assert Delivery.objects.get(pk=delivery.pk).error == ""
        return AlertOccurrence.objects.get(delivery=delivery)

    return send


def by_pod(**columns: Any) -> GroupingRule:
    columns = {"name": "by pod", "group_by": ["pod"], "join_neighbours": False, **columns}
    return GroupingRule.objects.create(**columns)


def how(occurrence: AlertOccurrence) -> str:
    assert occurrence.joined_by is not None
    return str(occurrence.joined_by["how"])


def resolve(incident: Incident | None, **columns: Any) -> None:
    assert incident is not None
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    Incident.objects.filter(pk=incident.pk).update(**columns)


def test_a_rule_tells_pods_of_one_service_apart(fire: Fire, make_service: MakeService) -> None:
    make_service("checkout")
    rule = by_pod(matchers=["alertname=HighErrorRate"])

    one, twin, other = fire(pod="a"), fire(pod="a", zone="z"), fire(pod="b")

    assert one.incident == twin.incident
    assert one.incident != other.incident
    assert (how(one), how(twin), how(other)) == ("opened", "key", "opened")
    assert {i.grouping_rule for i in Incident.objects.all()} == {rule}


def test_the_first_rule_by_priority_and_name_counts(fire: Fire) -> None:
    for name, priority in [("b", 10), ("a", 10), ("c", 5), ("d", 1)]:
        by_pod(name=name, priority=priority, enabled=name != "d")
    GroupingRule.objects.filter(name="c").update(matchers=["team=payments"])

    occurrence = fire(pod="x")

    assert occurrence.joined_by is not None
    assert occurrence.joined_by["rule"] == "a"


def test_rolling_window_ends_when_the_last_alert_is_too_old(fire: Fire) -> None:
    by_pod(window="rolling", window_seconds=600)

    first = fire(pod="a", n="1", ago_seconds=2000)
    within = fire(pod="a", n="2", ago_seconds=1500)
    late = fire(pod="a", n="3", ago_seconds=800)
    last = fire(pod="a", n="4", ago_seconds=300)

    assert first.incident == within.incident
    assert late.incident == last.incident
    assert first.incident != late.incident
    assert first.incident is not None
    keys = list(Incident.objects.order_by("number").values_list("correlation_key", flat=True))
    assert keys == [f"{keys[1]}#{first.incident.reference}", keys[1]]


def test_fixed_window_ends_after_its_length(fire: Fire) -> None:
    by_pod(window="fixed", window_seconds=600)

    incidents = [fire(pod="a", n=str(ago), ago_seconds=ago).incident for ago in (1000, 500, 350)]

    assert incidents[0] == incidents[1]
    assert incidents[1] != incidents[2]


def test_a_fixed_window_begins_anew_when_the_incident_is_reopened(
    fire: Fire, settings: Any
) -> None:
    settings.REOPEN_WINDOW_SECONDS = 600
    by_pod(window="fixed", window_seconds=300)
    first = fire(pod="a", ago_seconds=400)
    resolve(first.incident)

    again, other = fire(pod="a", n="2"), fire(pod="a", n="3")

    assert (how(again), how(other)) == ("reopened", "key")
    assert first.incident == again.incident == other.incident


def test_a_batch_that_spans_windows_is_divided(source: AlertSource) -> None:
    by_pod(window="fixed", window_seconds=600)
    now = timezone.now()
    received = [
        ReceivedAlert(
            True, {"alertname": "A", "n": str(n)}, {}, str(n), "", now - timedelta(minutes=n)
        )
        for n in (60, 40, 20)
    ]
    for one in received:
        alerts.store(source, "{}", [one])

    grouping.run_waiting()

    assert [i.occurrences.count() for i in Incident.objects.all()] == [1, 1, 1]


def test_firing_again_within_the_window_reopens(
    fire: Fire, make_service: MakeService, settings: Any
) -> None:
    settings.REOPEN_WINDOW_SECONDS = 600
    make_service("checkout")
    first = fire(pod="a")
    resolve(first.incident, resolved_at=timezone.now() + timedelta(seconds=1))

    again = fire(pod="b")

    assert again.incident == first.incident
    assert how(again) == "reopened"
    assert again.incident is not None
    assert (again.incident.status, again.incident.resolved_at) == ("investigating", None)
    event = TimelineEvent.objects.get(kind="reopened")
    assert event.body == ("Alert HighErrorRate. Fired again within 10 min of the resolution.")


@pytest.mark.parametrize(
    ("resolved_seconds_ago", "closed_as"),
    [(7200, ""), (0, "false_positive")],
    ids=["too late", "closed as false positive"],
)
def test_what_is_over_for_good_is_not_reopened(
    fire: Fire, make_service: MakeService, resolved_seconds_ago: int, closed_as: str
) -> None:
    make_service("checkout")
    first = fire(pod="a", ago_seconds=10800)
    ended = timezone.now() - timedelta(seconds=resolved_seconds_ago)
    resolve(first.incident, resolved_at=ended, closed_as=closed_as)

    again = fire(pod="b")

    assert again.incident != first.incident
    assert how(again) == "opened"


def test_a_reopened_incident_leaves_its_key_to_a_newer_one(
    fire: Fire, make_service: MakeService, settings: Any
) -> None:
    settings.REOPEN_WINDOW_SECONDS = 0
    make_service("checkout")
    first = fire(pod="a").incident
    resolve(first)
    second = fire(pod="b").incident
    assert first is not None

    reopened = lifecycle.reopen(incident_id=first.pk, actor=None)

    assert second != first
    assert reopened.correlation_key == f"service:production:checkout#{first.reference}"


def test_the_rules_delay_counts_before_an_incident_resolves(fire: Fire) -> None:
    by_pod(matchers=["pod=slow"], resolve_delay_seconds=3600, name="slow")
    by_pod(matchers=["pod=fast"], resolve_delay_seconds=0, name="fast")
    for pod in ("slow", "fast"):
        fire(pod=pod, alertname=pod)
        fire(pod=pod, alertname=pod, firing=False)

    resolved = recovery.resolve_quiet()

    assert resolved == 1
    assert Incident.objects.get(status="resolved").grouping_rule == GroupingRule.objects.get(
        name="fast"
    )


def test_what_a_person_reopened_after_its_alerts_ended_is_left_to_people(
    fire: Fire, sam: User
) -> None:
    by_pod(resolve_delay_seconds=0)
    incident = fire(pod="a").incident
    fire(pod="a", firing=False)
    resolve(incident)
    assert incident is not None

    lifecycle.reopen(incident_id=incident.pk, actor=sam, reason="Customers still see errors.")
    by_itself = recovery.resolve_quiet()
    fire(pod="a", n="2")
    fire(pod="a", n="2", firing=False)
    after_another_alert = recovery.resolve_quiet()

    assert (by_itself, after_another_alert) == (0, 1)


def test_an_end_told_after_a_person_reopened_it_resolves_it(fire: Fire, sam: User) -> None:
    by_pod(resolve_delay_seconds=0)
    incident = fire(pod="a", ago_seconds=60).incident
    resolve(incident)
    assert incident is not None

    lifecycle.reopen(incident_id=incident.pk, actor=sam)
    fire(pod="a", firing=False, ago_seconds=60)

    assert recovery.resolve_quiet() == 1


def test_an_alert_that_joins_meanwhile_keeps_its_incident_open(fire: Fire) -> None:
    by_pod(resolve_delay_seconds=0)
    for pod in ("a", "b"):
        fire(pod=pod)
        fire(pod=pod, firing=False)

    def keep_the_other_open(incident: Incident, **_more: Any) -> None:
        other = Incident.objects.exclude(pk=incident.pk).get()
        AlertOccurrence.objects.filter(incident=other).update(resolved_at=None)

    signals.resolving.connect(keep_the_other_open)
    try:
        resolved = recovery.resolve_quiet()
    finally:
        signals.resolving.disconnect(keep_the_other_open)

    assert resolved == 1
    assert Incident.objects.active().get().occurrences.get().resolved_at is None


def test_too_few_alerts_wait_and_join_together(fire: Fire) -> None:
    by_pod(minimum_alerts=3, window_seconds=600, window="rolling")

    too_old = fire(pod="a", n="0", ago_seconds=900)
    waiting = [fire(pod="a", n="1", ago_seconds=400), fire(pod="a", n="2")]
    other = fire(pod="b")
    before = Incident.objects.count()
    third = fire(pod="a", n="3")
    later = fire(pod="a", n="4")

    assert before == 0
    incident = Incident.objects.get()
    assert incident.started_at == waiting[0].started_at
    joined = set(incident.occurrences.values_list("pk", flat=True))
    assert joined == {*(o.pk for o in waiting), third.pk, later.pk}
    for alone in (too_old, other):
        alone.refresh_from_db()
        assert alone.incident is None
        assert alone.waiting_key != ""


@pytest.mark.parametrize(
    "change",
    [
        lambda rule: rule.delete(),
        lambda rule: GroupingRule.objects.update(enabled=False),
        lambda rule: GroupingRule.objects.update(matchers=["pod=z"]),
        lambda rule: GroupingRule.objects.update(minimum_alerts=2),
        lambda rule: GroupingRule.objects.update(minimum_alerts=1, window_seconds=None),
    ],
    ids=["deleted", "switched off", "fits no longer", "fewer", "none"],
)
def test_what_waits_has_an_incident_once_its_rule_makes_it_wait_no_longer(
    fire: Fire, change: Callable[[GroupingRule], Any]
) -> None:
    rule = by_pod(minimum_alerts=3, window_seconds=600)
    fired = [fire(pod="a", n=n) for n in ("1", "2")]
    ended = fire(pod="b")
    fire(pod="b", firing=False)
    before = waiting.release()

    change(rule)
    after = waiting.release()

    assert (before, after, waiting.release()) == (0, 2, 0)
    assert {one.pk for one in Incident.objects.get().occurrences.all()} == {o.pk for o in fired}
    ended.refresh_from_db()
    assert ended.incident is None


def test_what_waits_goes_on_to_wait_for_another_rule_that_wants_more(fire: Fire) -> None:
    rule = by_pod(minimum_alerts=3, window_seconds=600)
    firing = [fire(pod=pod) for pod in ("a", "b")]

    GroupingRule.objects.filter(pk=rule.pk).update(group_by=[])
    waiting.release()
    third = fire(pod="c")

    assert {o.pk for o in Incident.objects.get().occurrences.all()} == {
        *(o.pk for o in firing),
        third.pk,
    }


def test_the_service_next_door_joins_as_secondary(fire: Fire, make_service: MakeService) -> None:
    checkout, payment = make_service("checkout"), make_service("payment")
    ServiceDependency.objects.create(caller=checkout, callee=payment)
    first = fire(ago_seconds=30)

    second = fire(service="payment", alertname="PoolExhausted")

    assert second.incident == first.incident
    assert how(second) == "neighbour"
    assert {a.service.slug: a.impact for a in Incident.objects.get().affected.all()} == {
        "checkout": Impact.PRIMARY,
        "payment": Impact.SECONDARY,
    }
    event = TimelineEvent.objects.get(kind="edited")
    why = r"Alert PoolExhausted\. checkout calls payment, and INC-1 began \d+ s apart\."
    assert re.fullmatch(why, event.body)


@pytest.mark.parametrize(
    ("columns", "ago_seconds"),
    [({"join_neighbours": False}, 30), ({}, 301)],
    ids=["off for the rule", "too long before"],
)
def test_the_service_next_door_is_left_alone(
    fire: Fire, make_service: MakeService, columns: dict[str, Any], ago_seconds: int
) -> None:
    checkout, payment = make_service("checkout"), make_service("payment")
    ServiceDependency.objects.create(caller=checkout, callee=payment)
    by_pod(**{"join_neighbours": True, "group_by": ["service"], **columns})
    fire(ago_seconds=ago_seconds)

    fire(service="payment")

    assert Incident.objects.count() == 2


def test_newcomers_of_a_merged_incident_go_to_the_survivor(
    fire: Fire, make_service: MakeService
) -> None:
    make_service("checkout")
    make_service("payment")
    checkout, payment = fire().incident, fire(service="payment").incident
    assert checkout is not None
    assert payment is not None
    merging.merge(source_id=payment.pk, target_id=checkout.pk, actor=None)

    newcomer = fire(service="payment", pod="b")

    assert newcomer.incident == checkout
    assert how(newcomer) == "merged"


def test_what_came_by_a_merged_incidents_key_goes_back_with_it(
    fire: Fire, make_service: MakeService
) -> None:
    """As when pods are replaced while a wrong merge stands: each new one is a series of its own."""
    for slug in ("checkout", "payment", "ledger"):
        make_service(slug)
    by_pod(group_by=["team"])
    survivor, middle, source = (
        fire(team=team, service=service, severity="warning").incident
        for team, service in (("a", "checkout"), ("b", "payment"), ("c", "payment"))
    )
    assert survivor is not None
    assert middle is not None
    assert source is not None
    merging.merge(source_id=source.pk, target_id=middle.pk, actor=None)
    merging.merge(source_id=middle.pk, target_id=survivor.pk, actor=None)
    new_pod = fire(team="c", service="ledger", severity="critical", pod="new")
    own = fire(team="a", service="checkout", severity="warning", pod="own")
    together = set(survivor.occurrences.all())

    unmerge(source_id=middle.pk, actor=None)
    between = set(middle.occurrences.all())
    unmerge(source_id=source.pk, actor=None)

    assert {new_pod, own} < together
    assert new_pod in between
    assert new_pod in source.occurrences.all()
    assert own in survivor.occurrences.all()
    source.refresh_from_db()
    assert source.severity == "critical"
    affected = {
        name: set(one.affected.values_list("service__slug", flat=True))
        for name, one in (("survivor", survivor), ("middle", middle), ("source", source))
    }
    assert affected == {
        "survivor": {"checkout"},
        "middle": {"payment"},
        "source": {"payment", "ledger"},
    }


def test_what_reopened_the_survivor_by_a_merged_incidents_key_goes_back_with_it(
    fire: Fire, settings: Any
) -> None:
    settings.REOPEN_WINDOW_SECONDS = 600
    by_pod()
    survivor, source = fire(pod="a").incident, fire(pod="b").incident
    assert survivor is not None
    assert source is not None
    merging.merge(source_id=source.pk, target_id=survivor.pk, actor=None)
    resolve(survivor)
    again = fire(pod="b", n="2")

    unmerge(source_id=source.pk, actor=None)

    assert (how(again), again.incident) == ("reopened", survivor)
    assert again in source.occurrences.all()


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_alert_each_reach_the_minimum(source: AlertSource) -> None:
    by_pod(minimum_alerts=8, window_seconds=600)

    def send(n: int) -> None:
        labels = {"alertname": "A", "n": str(n)}
        received = ReceivedAlert(True, labels, {}, str(n), "", timezone.now())
        grouping.run(alerts.store(source, "{}", [received]).pk)

    in_threads(send)

    assert Incident.objects.get().occurrences.count() == 8
