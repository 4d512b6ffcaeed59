"""What reaches the channel layer after a transaction, and what a failing layer costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import transaction
from pytest_django import Settings

from accounts.models import User
from incidents import broadcast, edits, lifecycle, live
from incidents.models import Incident
from tests.incidents import recording_layer
from tests.incidents.conftest import MakeIncident

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60.0


@pytest.fixture
def layer(settings: Settings) -> Iterator[recording_layer.RecordingLayer]:
    broadcast.drain(PATIENCE_SECONDS)
    settings.CHANNEL_LAYERS = recording_layer.BACKEND
    recording: recording_layer.RecordingLayer = get_channel_layer()
    yield recording
    assert broadcast.drain(PATIENCE_SECONDS)


@pytest.fixture
def incident(layer: recording_layer.RecordingLayer, make_incident: MakeIncident) -> Incident:
    """An open incident whose opening has been sent and forgotten."""
    made = make_incident()
    assert broadcast.drain(PATIENCE_SECONDS)
    made.refresh_from_db()
    layer.sent.clear()
    return made


def panels_sent(layer: recording_layer.RecordingLayer, incident: Incident) -> list[Any]:
    """(revision, sorted panel names) of each message to the incident's pages."""
    assert broadcast.drain(PATIENCE_SECONDS)
    group = broadcast.group_of(incident.pk)
    return [
        (message["revision"], sorted(name for name, _html in message["panels"]))
        for to, message in layer.sent
        if to == group
    ]


def test_rolled_back_transaction_publishes_nothing(
    layer: recording_layer.RecordingLayer, incident: Incident
) -> None:
    class Abandoned(Exception):
        pass

    def change_and_abandon() -> None:
        with transaction.atomic():
            live.changed(incident.pk, "header")
            raise Abandoned

    with pytest.raises(Abandoned):
        change_and_abandon()

    assert broadcast.drain(PATIENCE_SECONDS)
    assert layer.sent == []
    assert Incident.objects.get(pk=incident.pk).revision == incident.revision


def test_transaction_publishes_once_whatever_it_changed(
    layer: recording_layer.RecordingLayer, incident: Incident
) -> None:
    with transaction.atomic():
        live.changed(incident.pk, "header")
        with transaction.atomic():
            live.changed(incident.pk, "services", "header")
        live.changed(incident.pk, "timeline")

    assert panels_sent(layer, incident) == [
        (incident.revision + 3, ["header", "services", "timeline"])
    ]


def test_transaction_publishes_nothing_before_it_commits(
    layer: recording_layer.RecordingLayer, incident: Incident
) -> None:
    with transaction.atomic():
        live.changed(incident.pk, "header")
        assert broadcast.drain(PATIENCE_SECONDS)
        before = list(layer.sent)

    assert before == []
    assert panels_sent(layer, incident) == [(incident.revision + 1, ["header"])]


def test_change_outside_a_transaction_is_published(
    layer: recording_layer.RecordingLayer, incident: Incident
) -> None:
    live.changed(incident.pk, "header")

    assert panels_sent(layer, incident) == [(incident.revision + 1, ["header"])]


def test_lifecycle_step_is_one_message_and_one_notice_to_the_board(
    layer: recording_layer.RecordingLayer, incident: Incident, sam: User
) -> None:
    after = lifecycle.acknowledge(incident_id=incident.pk, actor=sam)

    assert panels_sent(layer, incident) == [(after.revision, ["header", "services", "timeline"])]
    assert [m for to, m in layer.sent if to == broadcast.BOARD_GROUP] == [{"type": "board.changed"}]


def test_panels_are_rendered_as_committed(
    layer: recording_layer.RecordingLayer, incident: Incident, sam: User
) -> None:
    edits.edit(incident_id=incident.pk, actor=sam, changes={"title": "Payments <b>fail</b>"})

    assert broadcast.drain(PATIENCE_SECONDS)
    panels = dict(layer.sent[0][1]["panels"])
    assert "Payments &lt;b&gt;fail&lt;/b&gt;" in panels["header"]
    assert 'id="header"' in panels["header"]
    assert 'hx-swap-oob="true"' in panels["header"]


def test_incident_that_is_gone_is_not_published(layer: recording_layer.RecordingLayer) -> None:
    broadcast.publish(User.objects.create(username="x", email="x@example.com").pk, ["header"])

    assert layer.sent == []


def test_failing_layer_does_not_fail_the_caller_and_recovers(
    layer: recording_layer.RecordingLayer, incident: Incident, sam: User
) -> None:
    layer.down = True
    acknowledged = lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    drained = broadcast.drain(PATIENCE_SECONDS)
    refused = layer.refused
    live.changed(incident.pk, "header")
    broadcast.drain(PATIENCE_SECONDS)
    layer.down = False

    # one failure is enough to know: the layer is left alone for a while
    assert (acknowledged.status, drained, refused, layer.refused) == ("investigating", True, 1, 1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not panels_sent(layer, incident) and time.monotonic() < deadline:
        time.sleep(0.2)
        live.changed(incident.pk, "header")
    revision = Incident.objects.get(pk=incident.pk).revision
    assert panels_sent(layer, incident)[-1] == (revision, ["header"])


@pytest.fixture
def broken_panel() -> Iterator[str]:
    def context(incident: Incident, as_of: object) -> dict[str, Any]:
        raise ZeroDivisionError("a panel's own mistake")

    live.register(live.Panel("broken", "incidents/_header.html", context))
    yield "broken"
    live.unregister("broken")


def test_panel_that_cannot_be_rendered_does_not_stop_the_next_publish(
    layer: recording_layer.RecordingLayer,
    incident: Incident,
    broken_panel: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    live.changed(incident.pk, broken_panel)
    assert broadcast.drain(PATIENCE_SECONDS)
    live.changed(incident.pk, "header")

    assert panels_sent(layer, incident) == [
        (incident.revision + 1, ["broken"]),
        (incident.revision + 2, ["header"]),
    ]
    assert [r.getMessage() for r in caplog.records if r.name == "studio.live"] == [
        f"panel broken of {incident.reference} could not be drawn"
    ]


def test_concurrent_changes_end_with_the_newest_revision(
    layer: recording_layer.RecordingLayer, incident: Incident
) -> None:
    from django.db import connection

    def change() -> None:
        try:
            for _ in range(5):
                live.changed(incident.pk, "header")
        finally:
            connection.close()

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sent = panels_sent(layer, incident)
    assert sent[-1] == (incident.revision + 20, ["header"])
    assert sent == sorted(sent)
    assert Incident.objects.get(pk=incident.pk).revision == incident.revision + 20


def test_drain_says_when_time_runs_out(
    layer: recording_layer.RecordingLayer, incident: Incident
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def context(incident: Incident, as_of: object) -> dict[str, Any]:
        entered.set()
        leave.wait(PATIENCE_SECONDS)
        return {"affected": [], "durations": {}}

    live.register(live.Panel("slow", "incidents/_header.html", context))
    try:
        live.changed(incident.pk, "slow")
        assert entered.wait(PATIENCE_SECONDS)
        early = broadcast.drain(0.0)
        leave.set()
        late = broadcast.drain(PATIENCE_SECONDS)
    finally:
        leave.set()
        live.unregister("slow")

    assert (early, late) == (False, True)
    assert panels_sent(layer, incident) == [(incident.revision + 1, ["slow"])]
