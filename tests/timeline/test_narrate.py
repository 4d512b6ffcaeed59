from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from incidents import archiving, edits, lifecycle, signals
from incidents.merges import merging
from incidents.models import Alert, AlertOccurrence, AlertSource, Incident, Service
from timeline.models import TimelineAnchor
from timeline.narrate import human
from timeline.verify import verify

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]
MakeUser = Callable[..., User]


def told(incident: Incident) -> list[tuple[str, str]]:
    return list(incident.timeline.values_list("kind", "title"))


def test_lifecycle_is_told_in_plain_words(make_incident: MakeIncident, make_user: MakeUser) -> None:
    sam = make_user("sam")
    incident = make_incident(services=("checkout", "cart"), actor=sam)

    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    edits.edit(incident_id=incident.pk, actor=sam, changes={"severity": "critical"})
    edits.edit(incident_id=incident.pk, actor=sam, changes={"root_cause": "pool too small"})
    lifecycle.mitigate(incident_id=incident.pk, actor=sam, reason="rolled back")

    assert told(incident) == [
        ("incident_created", "Incident opened by sam: Checkout errors"),
        ("status_changed", "sam acknowledged the incident"),
        ("severity_changed", "sam changed the severity from high to critical"),
        ("edited", "sam set the root cause"),
        ("mitigation_applied", "Mitigated by sam: rolled back"),
    ]
    created = incident.timeline.get(seq=1)
    assert created.data["services"] == ["checkout", "cart"]
    assert (created.severity, created.actor) == ("high", sam)


def test_resolve_ends_with_mttr_and_seals(make_incident: MakeIncident, make_user: MakeUser) -> None:
    sam = make_user("sam")
    started = timezone.now() - timedelta(minutes=42)
    incident = make_incident(services=("checkout", "cart"), started_at=started)
    incident.affected.filter(service__slug="cart").update(recovered_at=timezone.now())

    resolved = lifecycle.resolve(incident_id=incident.pk, actor=sam, root_cause="a bad deploy")

    events = list(incident.timeline.all())
    assert [event.kind for event in events] == [
        "incident_created",
        "edited",
        "status_changed",
        "incident_resolved",
    ]
    final, anchor = events[-1], TimelineAnchor.objects.get(incident=incident)
    assert final.title.startswith("Incident resolved after 42 min")
    assert final.body.endswith("Services confirmed recovered: 1/2.")
    assert final.data["mttr_seconds"] == resolved.mttr_seconds
    assert final.data["not_recovered"] == ["checkout"]
    assert (anchor.length, anchor.root_digest) == (4, final.digest)
    assert anchor.sealed_at is not None
    assert resolved.archived_at is None


def test_sealing_comes_after_what_resolving_adds(make_incident: MakeIncident) -> None:
    incident = make_incident()
    seen: list[bool] = []

    def freeze(incident: Incident, **kwargs: object) -> None:
        seen.append(TimelineAnchor.objects.get(incident=incident).sealed_at is None)

    signals.resolving.connect(freeze)
    try:
        lifecycle.resolve(incident_id=incident.pk, actor=None)
    finally:
        signals.resolving.disconnect(freeze)

    assert seen == [True]
    assert TimelineAnchor.objects.get(incident=incident).sealed_at is not None


def test_reopen_lifts_the_seal_and_keeps_what_was_sealed(
    make_incident: MakeIncident, make_user: MakeUser
) -> None:
    sam, incident = make_user("sam"), make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    sealed = TimelineAnchor.objects.get(incident=incident)

    lifecycle.reopen(incident_id=incident.pk, actor=sam, reason="errors are back")

    assert told(incident)[-2:] == [
        ("reopened", "sam reopened the incident"),
        ("status_changed", "sam resumed the investigation"),
    ]
    anchor = TimelineAnchor.objects.get(incident=incident)
    assert (anchor.sealed_at, anchor.root_digest) == (None, "")
    assert incident.timeline.get(kind="reopened").data["root_digest"] == sealed.root_digest
    lifecycle.resolve(incident_id=incident.pk, actor=sam)
    assert verify(incident).ok


def test_merge_seals_the_source_and_the_target_absorbs_its_root(
    make_incident: MakeIncident, make_user: MakeUser
) -> None:
    sam = make_user("sam")
    source, target = make_incident(), make_incident("Cart slow")

    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam)

    merged = TimelineAnchor.objects.get(incident=source)
    assert told(source)[-1] == ("merged", f"Merged into {target.reference} by sam: Cart slow")
    assert told(target)[-1] == (
        "absorbed",
        f"Absorbed {source.reference} by sam: Checkout errors",
    )
    assert merged.sealed_at is not None
    assert target.timeline.last().data["source_root_digest"] == merged.root_digest
    assert (verify(source).ok, verify(target).ok) == (True, True)


def test_archiving_after_the_seal_stays_outside_the_record(
    make_incident: MakeIncident, make_user: MakeUser
) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    archiving.archive(incident_id=incident.pk, actor=make_user())

    assert told(incident)[-1][0] == "incident_resolved"
    assert incident.field_changes.get().field == "archived_at"


@pytest.mark.parametrize(
    ("label", "severity"), [("critical", "critical"), ("Info", "info"), ("p3", "warning")]
)
def test_alert_is_told_with_its_service(
    make_incident: MakeIncident, label: str, severity: str
) -> None:
    incident = make_incident(services=("checkout",))
    alert = Alert.objects.create(
        source=AlertSource.objects.create(slug="prom"),
        identity="a" * 64,
        name="HighErrorRate",
        labels={"severity": label},
        annotations={"summary": "31 % of requests fail"},
    )
    occurrence = AlertOccurrence.objects.create(
        alert=alert,
        incident=incident,
        service=Service.objects.get(slug="checkout"),
        claimed_started_at=timezone.now(),
    )

    signals.occurrences_joined.send(
        Incident, incident=incident, occurrences=[occurrence], opened=False
    )

    event = incident.timeline.last()
    assert told(incident)[-1] == ("alert_firing", "Alert HighErrorRate firing on checkout")
    assert (event.severity, event.body) == (severity, "31 % of requests fail")
    assert event.occurred_at == occurrence.started_at


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (2531.4, "42 min 11 s"),
        (7260, "2 h 1 min"),
        (90061, "1 d 1 h"),
        (86400, "1 d"),
    ],
)
def test_human_durations_have_two_units(seconds: float, text: str) -> None:
    assert human(seconds) == text
