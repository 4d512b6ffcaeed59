from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from accounts.models import User
from incidents import lifecycle, live
from incidents.models import Incident
from timeline.models import Kind
from timeline.panels import SHOWN, context
from timeline.record import Entry, record, record_many

pytestmark = pytest.mark.django_db


def rendered(incident: Incident, as_of: datetime | None = None) -> str:
    (panel,) = live.panels(["timeline"])
    return live.render(panel, incident, as_of=as_of, oob=True)


@pytest.mark.parametrize("rows", [1, 3])
def test_panel_takes_eight_queries_whatever_the_rows(
    make_incident: Callable[..., Incident],
    make_user: Callable[..., User],
    django_assert_num_queries: Callable[..., object],
    rows: int,
) -> None:
    incident, sam = make_incident(), make_user("sam")
    for n in range(rows):
        record(incident_id=incident.pk, kind=Kind.NOTE, title=f"note {n}", actor=sam)

    with django_assert_num_queries(8):  # type: ignore[attr-defined]
        html = rendered(incident)

    assert html.count("event-note") == rows


def test_panel_shows_the_newest_and_counts_the_rest(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()
    record_many(
        incident_id=incident.pk, entries=[Entry(Kind.NOTE, f"note {n}") for n in range(SHOWN + 4)]
    )

    shown = context(incident, None)

    assert [one.event.seq for one in shown["events"]] == list(range(6, SHOWN + 6))
    assert shown["more"] == 5


def test_panel_as_of_a_moment_shows_what_was_known_then(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()
    then = record(incident_id=incident.pk, kind=Kind.NOTE, title="known").recorded_at
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    shown = context(incident, then)

    assert [one.event.title for one in shown["events"]][1:] == ["known"]
    assert shown["sealed"] is None
    assert context(incident, None)["sealed"].length == 4


def test_panel_renders_peoples_markdown_and_machines_text(
    make_incident: Callable[..., Incident], make_user: Callable[..., User]
) -> None:
    incident = make_incident()
    record(incident_id=incident.pk, kind=Kind.NOTE, title="<b>", body="**hm**", actor=make_user())
    record(incident_id=incident.pk, kind=Kind.LOG_PATTERN, title="log", body="pool <*> *full*")

    html = rendered(incident)

    assert 'id="timeline"' in html
    assert 'hx-swap-oob="true"' in html
    assert "<strong>hm</strong>" in html
    assert "&lt;b&gt;" in html
    assert "pool &lt;*&gt; *full*" in html
    assert 'id="event-3"' in html
