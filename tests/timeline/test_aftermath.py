from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import pytest

from incidents import archiving, edits, lifecycle, live
from incidents.models import Incident
from timeline import aftermath
from timeline.aftermath import AfterSealing, after_sealing
from timeline.models import TimelineAnchor

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(make_incident: Callable[..., Incident]) -> Incident:
    made = make_incident()
    lifecycle.resolve(incident_id=made.pk, actor=None)
    made.refresh_from_db()
    return made


@pytest.fixture
def provided() -> Iterator[Callable[[aftermath.Rows], None]]:
    yield lambda rows: aftermath.register("test", rows)
    aftermath.unregister("test")


def sealed_at(incident: Incident) -> datetime:
    found = TimelineAnchor.objects.get(pk=incident.pk).sealed_at
    assert found is not None
    return found


def rendered(incident: Incident, as_of: datetime | None = None) -> str:
    (panel,) = live.panels(["aftermath"])
    return live.render(panel, incident, as_of=as_of, oob=False)


def test_edits_after_the_seal_are_listed_and_those_before_are_not(
    make_incident: Callable[..., Incident],
) -> None:
    made = make_incident()
    edits.edit(incident_id=made.pk, actor=None, changes={"title": "Before"})
    lifecycle.resolve(incident_id=made.pk, actor=None)
    archiving.archive(incident_id=made.pk, actor=None, reason="reviewed")

    rows = after_sealing(made)

    assert [(row.title, row.detail) for row in rows] == [("The incident was archived", "reviewed")]


def test_open_timeline_has_nothing_after_its_seal(make_incident: Callable[..., Incident]) -> None:
    made = make_incident()
    edits.edit(incident_id=made.pk, actor=None, changes={"title": "Other"})

    assert after_sealing(made) == []
    assert "hidden" in rendered(made)


def test_rows_of_apps_come_in_their_order_and_within_their_time(
    sealed: Incident, provided: Callable[[aftermath.Rows], None]
) -> None:
    since = sealed_at(sealed)
    late, soon = since + timedelta(minutes=9), since + timedelta(minutes=1)

    def rows(incident: Incident, since: datetime) -> Iterable[AfterSealing]:
        return [
            AfterSealing(late, "Report sent", url="/somewhere"),
            AfterSealing(soon, "Report made"),
            AfterSealing(since - timedelta(minutes=1), "Before"),
        ]

    provided(rows)

    assert [row.title for row in after_sealing(sealed)] == ["Report made", "Report sent"]
    assert [row.title for row in after_sealing(sealed, as_of=soon)] == ["Report made"]
    assert '<a class="break" href="/somewhere">Report sent</a>' in rendered(sealed)


def test_provider_that_raises_costs_its_own_rows_only(
    sealed: Incident, provided: Callable[[aftermath.Rows], None]
) -> None:
    def rows(incident: Incident, since: datetime) -> Iterable[AfterSealing]:
        raise RuntimeError("no")

    provided(rows)
    archiving.archive(incident_id=sealed.pk, actor=None)

    titles = [row.title for row in after_sealing(sealed)]

    assert titles == ["What test knows could not be read", "The incident was archived"]


def test_reopening_puts_an_end_to_it(sealed: Incident) -> None:
    archiving.archive(incident_id=sealed.pk, actor=None)

    lifecycle.reopen(incident_id=sealed.pk, actor=None)

    assert after_sealing(sealed) == []
