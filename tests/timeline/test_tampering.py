"""What somebody with the database's password can do to a timeline, and that it is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid5

import pytest
from django.db import connection, transaction
from django.db.models import F

from accounts import chain
from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident
from timeline import triggers
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.record import Entry, record_many
from timeline.verify import verify

pytestmark = pytest.mark.django_db
LONG, SHORT = 1000, 9
WRONG = "0" * 64
NAMESPACE = UUID("6b1f0f1e-0000-4000-8000-000000000000")

Tamper = Callable[[Incident, int], int | None]
"""Changes something at an event by SQL; the event that has to be named."""


@pytest.fixture
def unguarded(db: None) -> Iterator[None]:
    triggers.lift(connection)
    yield
    triggers.install(connection)


def written(make_incident: Callable[..., Incident], length: int, sealed: bool) -> Incident:
    """An incident whose timeline has `length` events."""
    made = make_incident()
    known = made.timeline.count()
    closing = 2 if sealed else 0
    start = datetime(2026, 3, 1, tzinfo=UTC)
    record_many(
        incident_id=made.pk,
        entries=[
            Entry(Kind.NOTE, f"n {n}", "text", data={"n": n}, occurred_at=start + timedelta(0, n))
            for n in range(length - known - closing)
        ],
    )
    if sealed:
        lifecycle.resolve(incident_id=made.pk, actor=None)
    assert made.timeline.count() == length
    return made


def event_at(incident: Incident, seq: int) -> TimelineEvent:
    return TimelineEvent.objects.get(incident=incident, seq=seq)


def update(column: str, value: object, incident: Incident, seq: int) -> int:
    incident.timeline.filter(seq=seq).update(**{column: value})
    return seq


def delete(incident: Incident, seq: int) -> int:
    incident.timeline.filter(seq=seq).delete()
    return seq


def renumber(incident: Incident, start: int, by: int) -> None:
    """Move the events from `start` on; twice, so that no number is taken on the way."""
    far = 100_000
    incident.timeline.filter(seq__gte=start).update(seq=F("seq") + far)
    incident.timeline.filter(seq__gte=far).update(seq=F("seq") - far + by)


def delete_and_close_the_gap(incident: Incident, seq: int) -> int:
    incident.timeline.filter(seq=seq).delete()
    renumber(incident, seq + 1, -1)
    return seq


def cut_the_tail(incident: Incident, seq: int) -> int:
    incident.timeline.filter(seq__gte=seq).delete()
    return seq


def forged(incident: Incident, seq: int) -> TimelineEvent:
    """An event that follows the one before it as a written one would."""
    like = event_at(incident, max(1, seq - 1))
    event = TimelineEvent(
        id=uuid5(NAMESPACE, str(seq)),
        incident=incident,
        seq=seq,
        kind=Kind.NOTE,
        title="forged",
        occurred_at=like.occurred_at,
        recorded_at=like.recorded_at,
        previous=like.digest if seq > 1 else chain.START,
    )
    event.canonical = chain.canonical(event.entry())
    event.digest = chain.digest(event.previous, event.canonical)
    return event


def insert(incident: Incident, seq: int) -> int:
    new = forged(incident, seq)
    renumber(incident, seq, 1)
    new.save(force_insert=True)
    return seq


def insert_at_the_end(incident: Incident, seq: int) -> int:
    end = incident.timeline.count() + 1
    forged(incident, end).save(force_insert=True)
    return end


def insert_beyond_the_end(incident: Incident, seq: int) -> int:
    end = incident.timeline.count() + 7
    new = forged(incident, seq)
    new.seq = end
    new.save(force_insert=True)
    return end


def swap(incident: Incident, seq: int) -> int:
    last = incident.timeline.count()
    one, other = (seq, seq + 1) if seq < last else (seq - 1, seq)
    incident.timeline.filter(seq=one).update(seq=200_000)
    incident.timeline.filter(seq=other).update(seq=one)
    incident.timeline.filter(seq=200_000).update(seq=other)
    return one


def move_to_the_front(incident: Incident, seq: int) -> int:
    """To number 1, the others after it; the last of two is moved where it stands first."""
    moved = seq if seq > 1 else 2
    incident.timeline.filter(seq=moved).update(seq=200_000)
    incident.timeline.filter(seq__lt=moved).update(seq=F("seq") + 100_000)
    incident.timeline.filter(seq__gte=100_000, seq__lt=200_000).update(seq=F("seq") - 99_999)
    incident.timeline.filter(seq=200_000).update(seq=1)
    return 1


def rewrite(incident: Incident, seq: int) -> int:
    """The event anew, its digest right: only what follows can tell."""
    event = event_at(incident, seq)
    event.title = "rewritten"
    text = chain.canonical(event.entry())
    incident.timeline.filter(seq=seq).update(
        title=event.title, canonical=text, digest=chain.digest(event.previous, text)
    )
    return seq


def replace_canonical(incident: Incident, seq: int) -> int:
    event = event_at(incident, seq)
    text = json.dumps({**json.loads(event.canonical), "title": "x"})
    incident.timeline.filter(seq=seq).update(title="x", canonical=text)
    return seq


def give_away(incident: Incident, seq: int) -> int:
    """The event to another incident's timeline."""
    other = lifecycle.open_incident(
        title="Other", severity="low", services=[], allow_duplicate=True
    ).incident
    incident.timeline.filter(seq=seq).update(incident=other, seq=9_000)
    return seq


def set_to_zero(incident: Incident, seq: int) -> int:
    incident.timeline.filter(seq=seq).update(seq=0)
    return seq


COLUMNS: dict[str, object] = {
    "id": UUID("00000000-0000-4000-8000-000000000001"),
    "kind": Kind.POD,
    "severity": "critical",
    "source": "elsewhere",
    "title": "x",
    "body": "x",
    "data": {"n": -1},
    "occurred_at": datetime(2001, 1, 1, tzinfo=UTC),
    "recorded_at": datetime(2001, 1, 1, tzinfo=UTC),
    "canonical": "{}",
    "previous": WRONG,
    "digest": WRONG,
}
TAMPERINGS: dict[str, Tamper] = {
    **{f"update_{name}": partial(update, name, value) for name, value in COLUMNS.items()},
    **{
        act.__name__: act
        for act in (
            delete,
            delete_and_close_the_gap,
            cut_the_tail,
            insert,
            insert_at_the_end,
            insert_beyond_the_end,
            swap,
            move_to_the_front,
            rewrite,
            replace_canonical,
            give_away,
            set_to_zero,
        )
    },
}


def found(incident: Incident, tamper: Tamper, seq: int) -> tuple[bool, int | None, int | None]:
    """(found, event named, event that should be named); nothing stays."""
    with transaction.atomic():
        expected = tamper(incident, seq)
        result = verify(incident)
        transaction.set_rollback(True)
    return (not result.ok, result.bad_seq, expected)


@pytest.mark.parametrize("sealed", [False, True])
def test_any_tampering_with_any_event_names_it(
    make_incident: Callable[..., Incident], unguarded: None, sealed: bool
) -> None:
    incident = written(make_incident, SHORT, sealed)

    wrong = {
        (name, seq): answer
        for name, tamper in TAMPERINGS.items()
        for seq in range(1, SHORT + 1)
        if (answer := found(incident, tamper, seq)) != (True, answer[2], answer[2])
    }

    assert wrong == {}
    assert verify(incident).ok


def test_tampering_with_a_thousand_events_names_the_one(
    make_incident: Callable[..., Incident], unguarded: None
) -> None:
    incident = written(make_incident, LONG, sealed=True)

    wrong = {
        (name, seq): answer
        for position, (name, tamper) in enumerate(TAMPERINGS.items())
        for seq in [1 + (position * 389) % LONG]
        if (answer := found(incident, tamper, seq)) != (True, answer[2], answer[2])
    }

    assert wrong == {}
    assert (verify(incident).ok, verify(incident).length) == (True, LONG)


def test_changed_actor_and_correction_are_named(
    make_incident: Callable[..., Incident], make_user: Callable[..., User], unguarded: None
) -> None:
    incident, sam = written(make_incident, SHORT, sealed=False), make_user("sam")
    changes = {"actor": sam, "corrects": event_at(incident, 1)}

    named = [found(incident, partial(update, *change), 5)[1] for change in changes.items()]

    assert named == [5, 5]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"length": 7}, "the anchor counts 7 of 9"),
        ({"length": 30}, "the anchor counts 30 and ends at event 9"),
        ({"sealed_at": None}, "the anchor's seal is not that of the last event"),
        (
            {"sealed_at": datetime(2001, 1, 1, tzinfo=UTC)},
            "the anchor's seal is not that of the last event",
        ),
        ({"root_digest": WRONG}, "the root digest is not that of the last event"),
        ({"root_digest": ""}, "the root digest is not that of the last event"),
    ],
)
def test_changed_anchor_is_found_and_no_event_blamed(
    make_incident: Callable[..., Incident],
    unguarded: None,
    changes: dict[str, object],
    reason: str,
) -> None:
    incident = written(make_incident, SHORT, sealed=True)
    TimelineAnchor.objects.filter(pk=incident.pk).update(**changes)

    result = verify(incident)

    assert (result.ok, result.bad_seq, result.reason) == (False, None, reason)


def test_changed_head_of_the_anchor_leaves_the_last_event_unproven(
    make_incident: Callable[..., Incident], unguarded: None
) -> None:
    incident = written(make_incident, SHORT, sealed=True)
    TimelineAnchor.objects.filter(pk=incident.pk).update(head=WRONG)

    result = verify(incident)

    assert (result.bad_seq, result.reason) == (SHORT, "it is not the event that the anchor ends at")


def test_timeline_deleted_whole_with_its_anchor_is_found(
    make_incident: Callable[..., Incident], unguarded: None
) -> None:
    incident = written(make_incident, SHORT, sealed=False)
    incident.timeline.all().delete()
    TimelineAnchor.objects.filter(pk=incident.pk).delete()

    result = verify(incident)

    assert (result.ok, result.reason) == (False, "the whole timeline is missing")


def test_inserted_pair_is_named_by_its_first(
    make_incident: Callable[..., Incident], unguarded: None
) -> None:
    incident = written(make_incident, SHORT, sealed=False)
    insert(incident, 5)
    insert(incident, 6)

    assert verify(incident).bad_seq == 5
