from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection, transaction

from accounts import chain
from incidents import lifecycle
from incidents.models import Incident
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.record import Entry, TimelineSealed, record, record_many, seal
from timeline.verify import verify


@pytest.mark.django_db
def test_record_links_each_event_to_the_one_before(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()

    one = record(incident_id=incident.pk, kind=Kind.NOTE, title="one")
    two = record(incident_id=incident.pk, kind=Kind.NOTE, title="two", data={"rate": 0.31})

    created = incident.timeline.get(seq=1)
    assert (one.seq, two.seq) == (2, 3)
    assert created.previous == ""
    assert (one.previous, two.previous) == (created.digest, one.digest)
    assert two.digest == chain.digest(one.digest, two.canonical)
    anchor = TimelineAnchor.objects.get(incident=incident)
    assert (anchor.length, anchor.head, anchor.sealed_at) == (3, two.digest, None)


@pytest.mark.django_db
def test_record_many_keeps_their_order_in_few_queries(
    make_incident: Callable[..., Incident], django_assert_num_queries: Callable[..., object]
) -> None:
    incident = make_incident()
    entries = [Entry(Kind.METRIC_SPIKE, f"spike {n}") for n in range(30)]

    with transaction.atomic(), django_assert_num_queries(4):  # type: ignore[attr-defined]
        made = record_many(incident_id=incident.pk, entries=entries)

    assert [event.seq for event in made] == list(range(2, 32))
    assert verify(incident).ok


@pytest.mark.django_db
def test_record_bumps_the_revision_once_per_append(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()

    record_many(incident_id=incident.pk, entries=[Entry(Kind.NOTE, "one"), Entry(Kind.NOTE, "two")])

    assert Incident.objects.get(pk=incident.pk).revision == incident.revision + 1


@pytest.mark.django_db
def test_record_drops_nul_and_cuts_long_titles(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()

    event = record(
        incident_id=incident.pk,
        kind=Kind.LOG_PATTERN,
        title="x" * 400,
        body="a\x00b",
        data={"line\x00": ["c\x00d"], "at": datetime(2026, 1, 2, tzinfo=UTC)},
    )

    event.refresh_from_db()
    assert event.title == "x" * 299 + "…"
    assert event.body == "ab"
    assert event.data == {"line": ["cd"], "at": "2026-01-02T00:00:00.000000Z"}


@pytest.mark.django_db
def test_record_survives_numbers_that_databases_rewrite(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()

    record(
        incident_id=incident.pk,
        kind=Kind.METRIC_SPIKE,
        title="odd",
        data={"big": 1e22, "minus": -0.0, "small": 5e-324, "third": 1 / 3, "n": 2**63},
    )

    assert verify(incident).ok


@pytest.mark.django_db
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_record_refuses_numbers_json_has_no_word_for(
    make_incident: Callable[..., Incident], value: float
) -> None:
    incident = make_incident()

    with pytest.raises(ValueError, match=r"Out of range|not JSON compliant"):
        record(incident_id=incident.pk, kind=Kind.METRIC_SPIKE, title="x", data={"v": [value]})

    assert incident.timeline.count() == 1


@pytest.mark.django_db
def test_record_refuses_unknown_kinds_sealing_kinds_and_naive_times(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()

    with pytest.raises(ValueError, match="gossip"):
        record(incident_id=incident.pk, kind="gossip", title="x")
    with pytest.raises(ValueError, match="use seal"):
        record(incident_id=incident.pk, kind=Kind.INCIDENT_RESOLVED, title="x")
    with pytest.raises(ValueError, match="does not close"):
        seal(incident.pk, Entry(Kind.NOTE, "x"))
    with pytest.raises(ValueError, match="naive"):
        record(
            incident_id=incident.pk,
            kind=Kind.NOTE,
            title="x",
            occurred_at=datetime(2026, 1, 2),  # noqa: DTZ001
        )

    assert incident.timeline.count() == 1


@pytest.mark.django_db
def test_record_refuses_to_correct_another_incidents_event(
    make_incident: Callable[..., Incident],
) -> None:
    incident, other = make_incident(), make_incident("Cart slow")
    theirs = other.timeline.get()

    with pytest.raises(ValueError, match="own incident"):
        record(incident_id=incident.pk, kind=Kind.CORRECTION, title="x", corrects=theirs)


@pytest.mark.django_db
def test_record_says_when_the_incident_does_not_exist() -> None:
    with pytest.raises(Incident.DoesNotExist):
        record(incident_id=uuid4(), kind=Kind.NOTE, title="x")


@pytest.mark.django_db
def test_sealed_timeline_refuses_events_and_leaves_the_transaction_usable(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    length = incident.timeline.count()

    with transaction.atomic():
        with pytest.raises(TimelineSealed):
            record(incident_id=incident.pk, kind=Kind.NOTE, title="too late")
        Incident.objects.filter(pk=incident.pk).update(title="still writable")

    assert incident.timeline.count() == length
    assert Incident.objects.get(pk=incident.pk).title == "still writable"


@pytest.mark.django_db(transaction=True)
def test_record_keeps_the_chain_when_threads_append_at_once(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()
    failures: list[BaseException] = []

    def append(writer: int) -> None:
        try:
            for n in range(10):
                record(incident_id=incident.pk, kind=Kind.NOTE, title=f"{writer}.{n}")
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=append, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert list(incident.timeline.values_list("seq", flat=True)) == list(range(1, 62))
    result = verify(incident)
    assert (result.ok, result.length) == (True, 61)


@pytest.mark.django_db(transaction=True)
def test_record_rolls_back_with_its_caller(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()

    def fail_after_recording() -> None:
        with transaction.atomic():
            record(incident_id=incident.pk, kind=Kind.NOTE, title="never was")
            raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        fail_after_recording()

    assert TimelineEvent.objects.filter(incident=incident).count() == 1
    assert verify(incident).ok
