"""The pages of alerts, their sources and deliveries."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from incidents.alerts import listing as alert_listing
from incidents.alerts import sources
from incidents.intake import alerts
from incidents.intake.received import ReceivedAlert
from incidents.models import AlertSource, Delivery
from tests.incidents.conftest import make_person

Tell = Callable[..., Delivery]


@pytest.fixture
def source(db: None) -> AlertSource:
    return alerts.source_of("alertmanager", "alertmanager")


@pytest.fixture
def tell(source: AlertSource) -> Tell:
    def make(name: str = "HighErrorRate") -> Delivery:
        word = ReceivedAlert(True, {"alertname": name}, {}, name, "", timezone.now())
        return alerts.store(source, "{}", [word])

    return make


@pytest.fixture
def browser(db: None) -> Callable[[Role], Client]:
    def signed_in(role: Role) -> Client:
        client = Client()
        client.force_login(make_person(f"a-{role.value}", role))
        return client

    return signed_in


def test_firing_alerts_are_listed_in_pages(
    browser: Callable[[Role], Client], tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_listing, "PAGE_SIZE", 2)
    for name in ("first", "second", "third"):
        tell(name)
    client = browser(Role.VIEWER)

    newest = client.get("/alerts").content.decode()
    (older,) = re.findall(r'href="(\?[^"]*older[^"]*)"', newest)
    oldest = client.get(f"/alerts{older}").content.decode()

    assert [name in newest for name in ("first", "second", "third")] == [False, True, True]
    assert [name in oldest for name in ("first", "second", "third")] == [True, False, False]


@pytest.mark.parametrize("path", ["/alerts", "/alerts/deliveries"])
def test_bad_cursor_is_a_400_that_says_so(browser: Callable[[Role], Client], path: str) -> None:
    answer = browser(Role.VIEWER).get(f"{path}?older=yesterday")

    assert answer.status_code == 400
    assert "is not valid" in answer.content.decode()


@pytest.mark.parametrize("path", ["/alerts", "/alerts/deliveries", "/alerts/sources"])
def test_pages_take_the_same_queries_at_one_row_and_at_three(
    browser: Callable[[Role], Client], tell: Tell, path: str
) -> None:
    client = browser(Role.ADMIN)
    counts = []

    for row in range(3):
        sources.create(slug=f"s{row}", kind="grafana")
        tell(f"alert-{row}")
        if row in (0, 2):
            with CaptureQueriesContext(connection) as taken:
                assert client.get(path).status_code == 200
            counts.append(len(taken))

    assert counts[0] == counts[1]


def test_rejected_delivery_says_why_on_its_page_and_in_the_list(
    browser: Callable[[Role], Client], source: AlertSource
) -> None:
    kept = alerts.reject(source, '{"odd": 1}', "alerts: is not a list")
    client = browser(Role.VIEWER)

    listed = client.get("/alerts/deliveries?state=unaccepted").content.decode()
    whole = client.get(f"/alerts/deliveries/{kept.pk}").content.decode()

    assert "alerts: is not a list" in listed
    assert "alerts: is not a list" in whole
    assert "{&quot;odd&quot;: 1}" in whole


def test_responder_takes_a_delivery_once_more(
    browser: Callable[[Role], Client], source: AlertSource
) -> None:
    kept = alerts.reject(
        source, '{"alerts": [{"status": "firing", "labels": {"a": "b"}}]}', "as it was then"
    )

    answer = browser(Role.RESPONDER).post(f"/alerts/deliveries/{kept.pk}/replay", follow=True)

    assert "Replayed" in answer.content.decode()
    kept.refresh_from_db()
    assert (kept.state, kept.error, kept.alert_count) == ("queued", "", 1)


def test_viewer_takes_none(browser: Callable[[Role], Client], tell: Tell) -> None:
    answer = browser(Role.VIEWER).post(f"/alerts/deliveries/{tell().pk}/replay")

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("alertmanager", "webhook_configs:"),
        ("grafana", "contactPoints:"),
        ("events", "routing_key"),
    ],
)
def test_new_source_is_shown_its_token_once_and_the_settings_to_paste(
    browser: Callable[[Role], Client], kind: str, told: str
) -> None:
    client = browser(Role.ADMIN)

    made = client.post("/alerts/sources", {"slug": "eu", "kind": kind, "environment": "production"})
    again = client.get("/alerts/sources/eu").content.decode()

    shown = made.content.decode()
    assert re.search(r'id="token">rst_[\w-]{43}<', shown)
    assert 'id="token"' not in again
    assert "no-store" in made["Cache-Control"]
    for page in (shown, again):
        assert told in page
        assert f"http://testserver/api/intake/{kind}" in page


def test_source_that_exists_is_not_made_twice(browser: Callable[[Role], Client]) -> None:
    sources.create(slug="eu", kind="grafana")

    answer = browser(Role.ADMIN).post(
        "/alerts/sources", {"slug": "eu", "kind": "grafana", "environment": "production"}
    )

    assert answer.status_code == 422
    assert AlertSource.objects.count() == 1


def test_token_is_replaced_and_revoked_on_the_page(browser: Callable[[Role], Client]) -> None:
    source, _ = sources.create(slug="eu", kind="grafana")
    client = browser(Role.ADMIN)

    replaced = client.post("/alerts/sources/eu/rotate").content.decode()
    revoked = client.post("/alerts/sources/eu/revoke", follow=True).content.decode()

    assert 'id="token">rst_' in replaced
    assert "1 token revoked." in revoked
    assert sources.listed().get().token_prefix is None
    assert source.source_tokens.count() == 2


@pytest.mark.parametrize("act", ["", "/eu/rotate", "/eu/revoke"])
def test_responder_changes_no_source(browser: Callable[[Role], Client], act: str) -> None:
    sources.create(slug="eu", kind="grafana")

    answer = browser(Role.RESPONDER).post(f"/alerts/sources{act}", {"slug": "us"})

    assert answer.status_code == 403
    assert AlertSource.objects.count() == 1
