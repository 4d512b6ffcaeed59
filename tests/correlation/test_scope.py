"""What an analysis looks at: the failure that goes on now, its neighbourhood, its sources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from correlation import queue, scope
from correlation.models import Analysis
from incidents import lifecycle
from incidents.models import (
    Alert,
    AlertOccurrence,
    AlertSource,
    ChangeEvent,
    Incident,
    Service,
    ServiceDependency,
)

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]
MakeFiring = Callable[..., AlertOccurrence]


def ago(**delta: float) -> datetime:
    return timezone.now() - timedelta(**delta)


@pytest.fixture
def make_firing(db: None) -> MakeFiring:
    source = AlertSource.objects.create(slug="alertmanager")

    def make(
        incident: Incident | None,
        started_at: datetime,
        resolved_at: datetime | None = None,
        slug: str = "checkout",
    ) -> AlertOccurrence:
        service, _ = Service.objects.get_or_create(slug=slug, defaults={"name": slug})
        alert = Alert.objects.create(
            source=source, identity=str(Alert.objects.count()), name="HighErrorRate", labels={}
        )
        return AlertOccurrence.objects.create(
            alert=alert,
            incident=incident,
            service=service,
            claimed_started_at=started_at,
            started_at=started_at,
            resolved_at=resolved_at,
        )

    return make


def alert_incident(make_incident: MakeIncident, started_at: datetime, **more: Any) -> Incident:
    return make_incident(source=Incident.Source.ALERT, started_at=started_at, **more)


def test_episode_of_a_persons_incident_runs_from_its_start_until_now(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident(started_at=ago(minutes=4))

    before = timezone.now()
    start, as_of = scope.episode(incident)

    assert start == incident.started_at
    assert before <= as_of <= timezone.now()


def test_episode_ends_after_the_longest_look(make_incident: MakeIncident) -> None:
    incident = make_incident(started_at=ago(hours=3))
    Incident.objects.update(detected_at=incident.started_at)
    incident.refresh_from_db()

    start, as_of = scope.episode(incident)

    assert as_of - start == scope.LONGEST_LOOK


def test_episode_that_was_detected_late_reaches_its_detection(make_incident: MakeIncident) -> None:
    incident = make_incident(started_at=ago(hours=1))

    _start, as_of = scope.episode(incident)

    assert as_of == incident.detected_at


def test_episode_of_long_ago_is_its_first_half_hour(make_incident: MakeIncident) -> None:
    incident = make_incident(started_at=ago(hours=60))

    start, as_of = scope.episode(incident)

    assert as_of - start == scope.LONGEST_LOOK


def test_episode_whose_alerts_ended_is_the_one_that_went_on_last(
    make_incident: MakeIncident, make_firing: MakeFiring
) -> None:
    incident = alert_incident(make_incident, ago(minutes=10))
    make_firing(incident, ago(minutes=10), ago(minutes=8))
    last = make_firing(incident, ago(minutes=9), ago(minutes=6))

    assert scope.episode(incident) == (incident.started_at, last.resolved_at)


def test_episode_whose_alert_fired_again_is_the_new_firing(
    make_incident: MakeIncident, make_firing: MakeFiring
) -> None:
    incident = alert_incident(make_incident, ago(minutes=10))
    make_firing(incident, ago(minutes=10), ago(minutes=8))
    again = make_firing(incident, ago(minutes=2))
    make_firing(incident, ago(minutes=1))

    before = timezone.now()
    start, as_of = scope.episode(incident)

    assert start == again.started_at
    assert before <= as_of <= timezone.now()


def test_episode_with_an_alert_that_never_ended_begins_with_it(
    make_incident: MakeIncident, make_firing: MakeFiring
) -> None:
    incident = alert_incident(make_incident, ago(minutes=10))
    make_firing(incident, ago(minutes=10))
    make_firing(incident, ago(minutes=9), ago(minutes=5))

    start, _as_of = scope.episode(incident)

    assert start >= incident.started_at
    assert start - incident.started_at < timedelta(seconds=1)


def test_episode_of_a_resolved_incident_ends_with_it(
    make_incident: MakeIncident, make_firing: MakeFiring
) -> None:
    incident = alert_incident(make_incident, ago(minutes=10))
    make_firing(incident, ago(minutes=10), ago(minutes=8))
    resolved = lifecycle.resolve(incident_id=incident.pk, actor=None)

    assert scope.episode(resolved) == (incident.started_at, resolved.resolved_at)


@pytest.mark.parametrize(
    ("source", "seconds"), [("alert", 180.0), ("manual", 300.0), ("api", 300.0), ("lab", 300.0)]
)
def test_lead_is_longer_for_a_person(
    make_incident: MakeIncident, source: str, seconds: float
) -> None:
    incident = make_incident(source=source)

    assert scope.scope_of(incident).lead_seconds == seconds


@pytest.mark.parametrize(
    ("ended_seconds_before", "lead"),
    [(170.0, 170.0), (100.0, 100.0), (20.0, 20.0), (10.0, 20.0), (181.0, 180.0)],
)
def test_lead_is_bounded_by_an_earlier_failure_nearby(
    make_incident: MakeIncident, make_firing: MakeFiring, ended_seconds_before: float, lead: float
) -> None:
    incident = alert_incident(make_incident, ago(minutes=1))
    end = incident.started_at - timedelta(seconds=ended_seconds_before)
    make_firing(None, end - timedelta(minutes=5), end - timedelta(seconds=30))
    make_firing(None, end - timedelta(minutes=2), end)

    assert scope.scope_of(incident).lead_seconds == pytest.approx(lead)


@pytest.mark.parametrize(("fired_seconds_before", "lead"), [(100.0, 20.0), (30.0, 180.0)])
def test_lead_is_short_while_an_earlier_failure_has_not_been_seen_to_end(
    make_incident: MakeIncident, make_firing: MakeFiring, fired_seconds_before: float, lead: float
) -> None:
    incident = alert_incident(make_incident, ago(minutes=1))
    make_firing(None, incident.started_at - timedelta(seconds=fired_seconds_before))

    assert scope.scope_of(incident).lead_seconds == lead


def test_lead_is_bounded_by_a_neighbour_and_not_by_a_stranger(
    make_incident: MakeIncident, make_firing: MakeFiring
) -> None:
    incident = alert_incident(make_incident, ago(minutes=1))
    at = incident.started_at
    make_firing(None, at - timedelta(minutes=9), at - timedelta(seconds=120), slug="payments")
    make_firing(None, at - timedelta(minutes=9), at - timedelta(seconds=60), slug="wiki")
    checkout, payments = (Service.objects.get(slug=slug) for slug in ("checkout", "payments"))
    ServiceDependency.objects.create(caller=checkout, callee=payments)

    found = scope.scope_of(incident)

    assert found.services == {"checkout", "payments"}
    assert found.lead_seconds == pytest.approx(120.0)


def test_lead_of_a_second_firing_ends_where_the_first_did(
    make_incident: MakeIncident, make_firing: MakeFiring
) -> None:
    incident = alert_incident(make_incident, ago(minutes=10))
    ended = ago(minutes=3)
    make_firing(incident, incident.started_at, ended)
    again = make_firing(incident, ago(minutes=2))

    found = scope.scope_of(incident)

    assert found.started_at == again.started_at.timestamp()
    assert found.lead_seconds == pytest.approx((again.started_at - ended).total_seconds())


def test_scope_has_the_primary_service_the_graph_and_the_roles(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident(slug="checkout")
    names = ["checkout", "payments", "bank", "ledger", "vault", "far"]
    made = [Service.objects.get_or_create(slug=n, defaults={"name": n})[0] for n in names]
    for caller, callee in pairwise(made):
        ServiceDependency.objects.create(caller=caller, callee=callee)
    other = Service.objects.create(slug="checkout", name="Checkout", environment="staging")
    ServiceDependency.objects.create(caller=other, callee=other_db())
    Service.objects.filter(slug="vault").update(role="database")

    found = scope.scope_of(incident)

    assert (found.target, found.environment) == ("checkout", "production")
    assert found.services == {"checkout", "payments", "bank", "ledger"}
    assert found.edges == (
        ("bank", "ledger"),
        ("checkout", "payments"),
        ("ledger", "vault"),
        ("payments", "bank"),
        ("vault", "far"),
    )
    assert found.roles["vault"] == "database"


def other_db() -> Service:
    return Service.objects.create(slug="db", name="Database", environment="staging")


def test_scope_without_a_service_is_everything(make_incident: MakeIncident) -> None:
    incident = lifecycle.open_incident(title="Odd", severity="low", services=[]).incident

    found = scope.scope_of(incident)

    assert (found.target, found.services, found.lead_seconds) == (None, frozenset(), 300.0)


def test_changes_are_those_of_the_neighbourhood_in_the_hours_before(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident(slug="checkout", started_at=ago(minutes=5))
    checkout = Service.objects.get(slug="checkout")
    wiki = Service.objects.create(slug="wiki", name="Wiki")
    start = incident.started_at
    for title, service, at in [
        ("in time", checkout, start - timedelta(minutes=359)),
        ("shared", None, start - timedelta(minutes=30)),
        ("during", checkout, start + timedelta(minutes=1)),
        ("too old", checkout, start - timedelta(minutes=361)),
        ("elsewhere", wiki, start - timedelta(minutes=10)),
    ]:
        kind = "deploy" if service else "commit"
        ChangeEvent.objects.create(service=service, kind=kind, at=at, title=title, ref=title)

    found = scope.changes_for(scope.scope_of(incident))

    assert [change.title for change in found] == ["in time", "shared", "during"]


def test_deploy_names_the_commit_it_brought_out_by_its_id(make_incident: MakeIncident) -> None:
    incident = make_incident(slug="checkout", started_at=ago(minutes=5))
    checkout = Service.objects.get(slug="checkout")
    commit = ChangeEvent.objects.create(
        kind="commit", at=ago(minutes=20), title="Smaller pool", ref="9f1c", files=["db.yaml"]
    )
    ChangeEvent.objects.create(
        service=checkout, kind="deploy", at=ago(minutes=10), title="v2", commit="9f1c"
    )

    first, second = scope.changes_for(scope.scope_of(incident))

    assert (first.service, first.files, second.commit) == ("", ("db.yaml",), str(commit.pk))


@pytest.mark.parametrize(
    ("firings", "repeated"),
    [([], 1), (["going on"], 1), (["ended", "going on"], 1), (["ended"], 0), (["ended"] * 2, 0)],
    ids=["a person's", "one going on", "one of two ended", "ended", "both ended"],
)
def test_repeat_leaves_alone_what_has_ended(
    make_incident: MakeIncident, make_firing: MakeFiring, firings: list[str], repeated: int
) -> None:
    incident = alert_incident(make_incident, ago(seconds=20))
    Incident.objects.update(detected_at=incident.started_at)
    Analysis.objects.update(status="done", queued_at=incident.started_at)
    for state in firings:
        ended = timezone.now() if state == "ended" else None
        make_firing(incident, incident.started_at, ended)

    assert queue.repeat_young() == repeated
    assert Analysis.objects.filter(reason="repeat").count() == repeated
