"""An alert's words and links on the incident page, in its broadcast panel and on /alerts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from incidents import live
from incidents.models import Alert, Incident
from tests.incidents.alert_rows import fire, make_series
from tests.incidents.conftest import MakeIncident

ANNOTATIONS = {
    "summary": "5 % of <b>checkouts</b> fail",
    "runbook_url": "https://wiki.example.com/run?a=1&b=2",
    "dashboard_url": 'https://grafana.example.com/d"onmouseover=x',
    "owner_url": "javascript:alert(1)",
    "description": "First line\nsecond <script>",
}
LONG = "v" * 200
LINK = re.compile(r'<a href="([^"]*)" target="_blank" rel="noopener noreferrer">([^<]*)<')
EXPECTED = [
    ("https://wiki.example.com/run?a=1&amp;b=2", "Runbook"),
    ("https://grafana.example.com/d&quot;onmouseover=x", "Dashboard"),
    ("https://prometheus.example.com/graph", "Source"),
]


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    return make_incident()


@pytest.fixture
def alert(incident: Incident) -> Alert:
    alert = make_series("HighErrorRate", pod=LONG)
    alert.annotations = ANNOTATIONS
    alert.generator_url = "https://prometheus.example.com/graph"
    alert.save(update_fields=["annotations", "generator_url"])
    fire(incident, alert)
    return alert


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def panel(incident: Incident) -> Callable[[], str]:
    def drawn() -> str:
        ((_, html),) = live.snapshot(incident, ["alerts"])
        return html

    return drawn


@pytest.mark.parametrize("of_incident", [True, False])
def test_pages_offer_links_and_escape_words(
    page: Client, incident: Incident, alert: Alert, of_incident: bool
) -> None:
    path = incident.get_absolute_url() if of_incident else "/alerts"

    html = page.get(path).content.decode()

    shown = html[html.index('class="alert-summary"') : html.index("</details>", html.index(LONG))]
    assert LINK.findall(shown) == EXPECTED
    assert "5 % of &lt;b&gt;checkouts&lt;/b&gt; fail" in shown
    assert "First line\nsecond &lt;script&gt;" in shown
    assert f"<dd>{LONG}</dd>" in shown
    assert '<dd class="alert-text">javascript:alert(1)</dd>' in shown
    assert 'href="javascript' not in html


def test_broadcast_panel_has_the_same_links(alert: Alert, panel: Callable[[], str]) -> None:
    assert LINK.findall(panel()) == EXPECTED


def test_panel_asks_no_more_for_many_alerts_with_words(
    incident: Incident,
    alert: Alert,
    panel: Callable[[], str],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with CaptureQueriesContext(connection) as of_one:
        panel()
    for n in range(3):
        more = make_series(f"Slow{n}", pod="a")
        Alert.objects.filter(pk=more.pk).update(annotations=ANNOTATIONS)
        fire(incident, more)

    with django_assert_num_queries(len(of_one)):
        html = panel()

    assert html.count(">Runbook<") == 4


def test_alert_without_words_has_no_links_and_nothing_to_open(
    incident: Incident, panel: Callable[[], str]
) -> None:
    fire(incident, make_series("HighErrorRate"))

    html = panel()

    assert "HighErrorRate" in html
    assert [part in html for part in ("alert-summary", "alert-links", "<details")] == [False] * 3


def test_details_keep_their_id_from_panel_to_panel(alert: Alert, panel: Callable[[], str]) -> None:
    """By which the page keeps them open when a live update replaces the panel."""
    (firing,) = alert.occurrences.all()

    assert re.findall(r'<details [^>]*id="([^"]*)"', panel()) == [f"alert-details-{firing.pk}"]
