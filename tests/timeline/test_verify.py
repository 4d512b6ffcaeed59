from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import chain
from incidents import lifecycle
from incidents.models import Incident
from timeline import triggers
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.record import record
from timeline.verify import verify

pytestmark = pytest.mark.django_db


@contextmanager
def unguarded() -> Iterator[None]:
    """As somebody with the database's password could do it."""
    triggers.lift(connection)
    try:
        yield
    finally:
        triggers.install(connection)


@pytest.fixture
def incident(make_incident: Callable[..., Incident]) -> Incident:
    made = make_incident()
    for n in range(4):
        record(incident_id=made.pk, kind=Kind.NOTE, title=f"note {n}", data={"n": n})
    return made


def test_verify_accepts_what_was_written(incident: Incident) -> None:
    result = verify(incident)

    assert (result.ok, result.length, result.bad_seq, result.reason) == (True, 5, None, "")
    assert result.head == incident.timeline.last().digest


@pytest.mark.parametrize(
    ("column", "value"), [("title", "x"), ("data", {"n": 7}), ("severity", "critical")]
)
def test_verify_finds_a_changed_column(incident: Incident, column: str, value: object) -> None:
    with unguarded():
        incident.timeline.filter(seq=3).update(**{column: value})

    result = verify(incident)

    assert (result.ok, result.bad_seq) == (False, 3)
    assert result.reason == f"its {column} differ from what was recorded"


def test_verify_finds_a_changed_text(incident: Incident) -> None:
    event = incident.timeline.get(seq=3)
    event.title = "x"
    with unguarded():
        incident.timeline.filter(seq=3).update(title="x", canonical=chain.canonical(event.entry()))

    result = verify(incident)

    assert (result.bad_seq, result.reason) == (
        3,
        "its text, its digest or the digest before it has been changed",
    )


def test_verify_finds_a_rewritten_event(incident: Incident) -> None:
    event = incident.timeline.get(seq=3)
    event.title = "x"
    text = chain.canonical(event.entry())
    with unguarded():
        incident.timeline.filter(seq=3).update(
            title="x", canonical=text, digest=chain.digest(event.previous, text)
        )

    result = verify(incident)

    assert (result.bad_seq, result.reason) == (
        3,
        "it has been rewritten: event 4 was recorded after another",
    )


def test_verify_finds_a_deleted_event(incident: Incident) -> None:
    with unguarded():
        incident.timeline.filter(seq=2).delete()

    result = verify(incident)

    assert (result.bad_seq, result.reason) == (2, "event 2 is missing: 3 comes next")


def test_verify_finds_a_deleted_tail(incident: Incident) -> None:
    with unguarded():
        incident.timeline.filter(seq__gte=4).delete()

    result = verify(incident)

    assert (result.bad_seq, result.reason) == (4, "events 4 to 5 are missing")


def test_verify_finds_a_lifted_seal(incident: Incident) -> None:
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    with unguarded():
        TimelineAnchor.objects.filter(incident=incident).update(sealed_at=None)

    result = verify(incident)

    assert (result.bad_seq, result.reason) == (
        None,
        "the anchor's seal is not that of the last event",
    )


def test_verify_finds_a_missing_anchor(incident: Incident) -> None:
    with unguarded():
        TimelineAnchor.objects.filter(incident=incident).delete()

    assert (verify(incident).bad_seq, verify(incident).reason) == (None, "the anchor is missing")


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_timeline", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_command_tells_intact_broken_and_unknown_by_its_exit_code(
    incident: Incident, make_incident: Callable[..., Incident]
) -> None:
    other = make_incident("Cart slow")

    intact = f"{incident.reference}: 5 events, open, intact\n"
    assert run(incident.reference) == (0, intact)
    assert run(incident.reference, other.reference)[0] == 0
    assert run("INC-99999") == (2, "There is no incident 'INC-99999'.")
    assert run()[0] == 2
    assert run(incident.reference, "--all")[0] == 2

    with unguarded():
        TimelineEvent.objects.filter(incident=other).update(title="x")
    assert run(incident.reference)[0] == 0
    assert run("--all") == (
        1,
        f"{incident.reference}: 5 events, open, intact\n"
        f"{other.reference}: event 1: its title differ from what was recorded\n"
        "1 of 2 timelines are not what was written.",
    )
