"""Panels: who is drawn, in which order, and what a change counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from incidents import live
from incidents.models import Incident
from tests.incidents.conftest import MakeIncident

PAGE = [
    "header",
    "record",
    "merges",
    "causes",
    "impact",
    "evidence",
    "alerts",
    "similar",
    "people",
    "timeline",
    "aftermath",
    "services",
    "tasks",
    "notifications",
    "sources",
    "runs",
]


def test_panels_are_in_page_order() -> None:
    assert [panel.name for panel in live.panels()] == PAGE


def test_panels_by_name_keep_the_order_and_leave_out_the_unknown() -> None:
    chosen = live.panels(["timeline", "nothing", "header"])

    assert [panel.name for panel in chosen] == ["header", "timeline"]


def test_snapshot_has_every_panel_once_out_of_band(make_incident: MakeIncident) -> None:
    drawn = live.snapshot(make_incident())

    assert [name for name, _html in drawn] == PAGE
    for name, html in drawn:
        head = html.strip().partition(">")[0]
        assert f'id="{name}"' in head
        assert 'hx-swap-oob="true"' in head


@pytest.mark.parametrize("name", PAGE)
def test_panel_on_the_page_is_not_out_of_band(make_incident: MakeIncident, name: str) -> None:
    (panel,) = live.panels([name])

    assert "hx-swap-oob" not in live.render(panel, make_incident(), oob=False)


def test_render_gives_the_panel_its_moment(make_incident: MakeIncident) -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    asked: list[Any] = []

    def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
        asked.append(as_of)
        return {"affected": [], "durations": {}}

    panel = live.Panel("extra", "incidents/_header.html", context)

    live.render(panel, make_incident(), as_of=moment, oob=False)

    assert asked == [moment]


def test_changed_counts_the_revision_and_not_the_version(make_incident: MakeIncident) -> None:
    incident = make_incident()
    before = Incident.objects.get(pk=incident.pk)

    live.changed(incident.pk, "header")
    live.changed(incident.pk, "causes", "timeline")

    after = Incident.objects.get(pk=incident.pk)
    assert (after.revision, after.version) == (before.revision + 2, before.version)


def test_changed_publishes_each_incident_of_a_transaction_once(
    make_incident: MakeIncident, django_capture_on_commit_callbacks: Any
) -> None:
    one, other = make_incident("One"), make_incident("Other")
    connection.run_on_commit.clear()

    with django_capture_on_commit_callbacks() as hooks, transaction.atomic():
        live.changed(one.pk, "header")
        live.changed(other.pk, "header")
        live.changed(one.pk, "causes")

    assert [(hook.incident_id, hook.panels) for hook in hooks] == [
        (one.pk, {"header", "causes"}),
        (other.pk, {"header"}),
    ]


def test_a_panel_that_raises_is_shown_as_broken_and_costs_no_other(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()

    def context(incident: Incident, as_of: object) -> dict[str, object]:
        raise ZeroDivisionError

    live.register(live.Panel("broken", "incidents/_header.html", context))
    try:
        shown = dict(live.snapshot(incident))
    finally:
        live.unregister("broken")

    assert "This part could not be drawn" in shown["broken"]
    assert incident.title in shown["header"]
