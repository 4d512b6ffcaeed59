"""A real Alertmanager delivers to the product over HTTP, and is read by the reconcile job.

Grouping and reconciling are called here, so that nothing depends on when they run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection

from accounts.models import ApiToken
from incidents import broadcast
from incidents.intake import grouping, recovery
from incidents.models import Alert, Alertmanager, AlertOccurrence, Delivery, Incident
from incidents.upkeep.reconcile import reconcile
from tests.incidents.conftest import MakeService
from tests.servers import ServerError, debian, free_port
from tests.servers.alertmanager import RealAlertmanager, running_alertmanager
from timeline.models import TimelineEvent

PATIENCE_SECONDS = 120.0
LABELS = {"alertname": "HighErrorRate", "service": "checkout", "severity": "critical"}


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class Product:
    """The product's web server on one port, up or down; it keeps no connection."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/intake/alertmanager"

    def start(self) -> None:
        server = make_server("127.0.0.1", self.port, get_wsgi_application(), handler_class=Quiet)
        self._server, self._thread = server, threading.Thread(target=self._serve, args=(server,))
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server = self._thread = None

    def _serve(self, server: WSGIServer) -> None:
        with server:
            server.serve_forever(poll_interval=0.05)
        connection.close()


@pytest.fixture
def product(transactional_db: None, make_service: MakeService) -> Iterator[Product]:
    make_service("checkout")
    made = Product()
    made.start()
    yield made
    made.stop()
    assert broadcast.drain(PATIENCE_SECONDS)


@pytest.fixture
def real(product: Product) -> Iterator[RealAlertmanager]:
    try:
        debian.alertmanager()
    except ServerError as error:
        pytest.skip(f"real Alertmanager: {error}")
    _token, plain = ApiToken.issue(name="alertmanager", scopes=["intake"], owner=None)
    with running_alertmanager(product.webhook, plain) as server:
        yield server


@pytest.fixture
def no_waiting(settings: Any) -> None:
    """What is not listed counts at once."""
    settings.RECONCILE_SETTLE_SECONDS = 0
    settings.RECONCILE_ABSENT_SECONDS = 0
    settings.RESOLVE_HOLD_DOWN_SECONDS = 0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def delivered() -> Incident:
    """Its incident, once the alert has been delivered and grouped."""
    until(Delivery.objects.exists)
    grouping.run_waiting()
    return Incident.objects.get()


def row_of(real: RealAlertmanager) -> Alertmanager:
    source = Delivery.objects.latest("received_at").source
    return Alertmanager.objects.create(source=source, url=real.url)


def test_firing_alert_opens_an_incident_and_its_end_resolves_it(
    real: RealAlertmanager, no_waiting: None
) -> None:
    real.fire(**LABELS)
    incident = delivered()

    real.end(**LABELS)
    until(lambda: AlertOccurrence.objects.exclude(resolved_at=None).exists())
    grouping.run_waiting()
    recovery.resolve_quiet()

    incident.refresh_from_db()
    occurrence = AlertOccurrence.objects.get()
    assert (incident.severity, incident.status) == ("critical", "resolved")
    assert occurrence.ended_by == "sender"


def test_silenced_alert_is_marked_and_unmarked(real: RealAlertmanager) -> None:
    real.fire(**LABELS)
    incident = delivered()
    row = row_of(real)

    silence = real.silence("service", "checkout")
    until(lambda: real.states() == ["suppressed"])
    quieted = reconcile(row.source)
    marked = AlertOccurrence.objects.get()
    real.expire(silence)
    until(lambda: real.states() == ["active"])
    reconcile(row.source)

    loud = AlertOccurrence.objects.get()
    assert quieted is not None
    assert (quieted.read, quieted.suppressed, quieted.closed) == (1, 1, 0)
    assert (marked.suppressed_by, marked.resolved_at) == ({"silences": [silence]}, None)
    assert (loud.suppressed_by, loud.suppressed_since, loud.resolved_at) == (None, None, None)
    told = TimelineEvent.objects.filter(incident=incident, kind="alert_suppressed").order_by("seq")
    assert list(told.values_list("title", flat=True)) == [
        f"Alert HighErrorRate on checkout is suppressed by silence {silence}",
        "Alert HighErrorRate on checkout is suppressed no longer",
    ]


def test_alert_that_ended_silenced_while_the_product_was_down_is_closed(
    product: Product, real: RealAlertmanager, no_waiting: None
) -> None:
    """Alertmanager never tells the end of a silenced alert."""
    real.fire(**LABELS)
    incident = delivered()
    row = row_of(real)
    real.silence("service", "checkout")
    until(lambda: real.states() == ["suppressed"])

    product.stop()
    real.end(**LABELS)
    until(lambda: real.states() == [])
    product.start()
    outcome = reconcile(row.source)
    grouping.run_waiting()
    recovery.resolve_quiet()

    occurrence = AlertOccurrence.objects.get()
    incident.refresh_from_db()
    assert outcome is not None
    assert outcome.closed == 1
    assert occurrence.ended_by == "reconciled"
    assert incident.status == "resolved"


def test_alert_that_fired_while_the_product_was_down_is_delivered_once_it_is_up(
    product: Product, real: RealAlertmanager
) -> None:
    product.stop()
    real.fire(**LABELS)
    until(lambda: b"connection refused" in (real.folder / "log").read_bytes())
    before = Delivery.objects.count()

    product.start()
    incident = delivered()

    assert before == 0
    assert incident.occurrences.count() == 1


def test_restarted_alertmanager_knows_nothing_yet_and_closes_nothing(
    real: RealAlertmanager, settings: Any
) -> None:
    settings.RECONCILE_ABSENT_SECONDS = 0
    real.fire(**LABELS)
    delivered()
    row = row_of(real)

    real.stop()
    down = reconcile(row.source)
    unread = Alertmanager.objects.get()
    real.start()
    listed = real.states()
    young = reconcile(row.source)

    row.refresh_from_db()
    assert listed == []
    assert down is not None
    assert young is not None
    assert (down.read, down.unread, down.closed) == (0, 1, 0)
    assert (unread.state, unread.failures) == ("failing", 1)
    assert (young.read, young.closed) == (1, 0)
    assert (row.state, row.note) == ("ok", "it has been up for less than 600 s")
    assert AlertOccurrence.objects.get().resolved_at is None


def test_alert_that_was_never_delivered_is_taken_in(
    product: Product, real: RealAlertmanager, settings: Any
) -> None:
    settings.RECONCILE_LOST_AFTER_SECONDS = 0
    real.fire(**LABELS)
    delivered()
    row = row_of(real)
    product.stop()

    real.fire(**{**LABELS, "service": "search"})
    until(lambda: len(real.states()) == 2)
    outcome = reconcile(row.source)
    grouping.run_waiting()

    assert outcome is not None
    assert (outcome.read, outcome.taken_in) == (1, 1)
    assert sorted(Alert.objects.values_list("labels__service", flat=True)) == ["checkout", "search"]
    assert Incident.objects.count() == 2
