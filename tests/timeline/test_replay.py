from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from incidents import edits, lifecycle
from incidents.models import Incident, Severity
from timeline.models import Kind, TimelineEvent
from timeline.record import record
from timeline.replay import Mark, Span, marks_of, moment, neighbours

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]
T0 = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def page(client: Client, make_user: Callable[..., User]) -> Client:
    client.force_login(make_user("vic", role="viewer"))
    return client


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00Z", T0.timestamp()),
        ("2026-03-01T12:00:00+02:00", T0.timestamp()),
        ("2026-03-01T10:00:00", T0.timestamp()),
        ("1772359200.5", 1772359200.5),
        ("yesterday", None),
        ("2026-13-01T10:00:00Z", None),
        ("nan", None),
        ("inf", None),
        ("-5", None),
        ("1e300", None),
    ],
)
def test_moment_reads_times_and_refuses_the_rest(text: str, expected: float | None) -> None:
    assert moment(text) == expected


def test_span_holds_what_is_asked_for() -> None:
    span = Span(100, 200)

    assert [span.held(at) for at in (0, 100, 150.2, 900)] == [100, 100, 151, 200]
    assert [span.place(at) for at in (100, 150, 200)] == [0, 500, 1000]


def test_marks_show_the_worst_at_each_place() -> None:
    events = [(T0, "info"), (T0, "critical"), (T0, "warning"), (T0 + timedelta(0, 10), "info")]
    start = int(T0.timestamp())

    assert marks_of(events, Span(start, start + 10)) == [Mark(0, "critical"), Mark(1000, "info")]


def test_neighbours_are_the_seconds_of_the_events_around() -> None:
    times = [T0, T0 + timedelta(milliseconds=400), T0 + timedelta(0, 9)]
    start = int(T0.timestamp())

    assert neighbours(times, start) == (None, start + 1)
    assert neighbours(times, start + 1) == (start, start + 9)
    assert neighbours(times, start + 20) == (start + 9, None)


@pytest.fixture
def told(make_incident: MakeIncident, make_user: Callable[..., User]) -> Incident:
    """An incident that had its title, severity and status changed long after it began."""
    made, sam = make_incident("Before", services=("cart",)), make_user("sam")
    record(incident_id=made.pk, kind=Kind.NOTE, title="An early note", actor=sam)
    earlier(made, hours=2)
    edits.edit(
        incident_id=made.pk, actor=sam, changes={"title": "Afterwards", "severity": Severity.LOW}
    )
    lifecycle.resolve(incident_id=made.pk, actor=sam, root_cause="Known by then")
    made.refresh_from_db()
    return made


def earlier(incident: Incident, hours: int) -> None:
    """As if all that was done so far had been done that long ago."""
    from django.db import connection

    from timeline import triggers

    by = timedelta(hours=hours)
    triggers.lift(connection)
    for event in TimelineEvent.objects.filter(incident=incident):
        TimelineEvent.objects.filter(pk=event.pk).update(recorded_at=event.recorded_at - by)
    triggers.install(connection)
    for change in incident.status_changes.all():
        change.at -= by
        change.save(update_fields=["at"])
    for row in incident.affected.all():
        row.added_at -= by
        row.save(update_fields=["added_at"])
    Incident.objects.filter(pk=incident.pk).update(
        created_at=incident.created_at - by,
        started_at=incident.started_at - by,
        detected_at=incident.detected_at - by,
    )


def test_replay_shows_what_was_known_and_nothing_later(page: Client, told: Incident) -> None:
    at = told.created_at + timedelta(minutes=5)

    html = page.get(f"/incidents/{told.reference}/replay", {"at": at.isoformat()}).content.decode()

    assert "<h1>Before</h1>" in html
    assert "An early note" in html
    assert "cart" in html
    for later in ("Afterwards", "Known by then", "sev-low", "status-resolved", "Sealed"):
        assert later not in html


def test_replay_at_the_end_shows_all(page: Client, told: Incident) -> None:
    html = page.get(f"/incidents/{told.reference}/replay", {"at": "99999999999"}).content.decode()

    for shown in ("<h1>Afterwards</h1>", "Known by then", "sev-low", "status-resolved", "Sealed"):
        assert shown in html


def test_replay_offers_no_action_and_no_socket(page: Client, told: Incident) -> None:
    html = page.get(f"/incidents/{told.reference}/replay").content.decode()
    main = html[html.index("<main") : html.index("</main>")]

    assert [
        word for word in ("hx-post", "ws-connect", "<dialog", 'id="poll"') if word in main
    ] == []
    assert 'type="range"' in main


def test_replay_without_a_moment_begins_at_the_opening(page: Client, told: Incident) -> None:
    response = page.get(f"/incidents/{told.reference}/replay")

    replayed = response.context["replay"]
    assert replayed["at"] == replayed["span"].start
    assert (replayed["earlier"], replayed["later"] > replayed["at"]) == (None, True)
    assert replayed["marks"][0].severity == "high"


def test_replay_of_nonsense_says_so_and_shows_the_beginning(page: Client, told: Incident) -> None:
    response = page.get(f"/incidents/{told.reference}/replay?at=<script>")

    assert response.status_code == 400
    assert "“&lt;script&gt;” is not a time." in response.content.decode()
    assert page.get("/incidents/INC-9999/replay").status_code == 404


def test_replay_of_an_open_incident_reaches_to_now(
    page: Client, make_incident: MakeIncident
) -> None:
    made = make_incident()
    earlier(made, hours=1)

    span = page.get(f"/incidents/{made.reference}/replay").context["replay"]["span"]

    assert span.end - span.start >= 3600


def test_replay_needs_a_session(client: Client, told: Incident) -> None:
    assert client.get(f"/incidents/{told.reference}/replay").status_code == 302
