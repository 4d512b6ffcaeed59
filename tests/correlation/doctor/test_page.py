"""The doctor on a data source's page: asked for by responders, told in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from correlation.models import DataSource
from incidents.models import Service

pytestmark = pytest.mark.django_db


def sign_in(client: Client, role: Role) -> None:
    client.force_login(
        User.objects.create(username=role, email=f"{role}@example.com", role=role, password="!")
    )


def make_source(**columns: Any) -> DataSource:
    return DataSource.objects.create(slug="logs", kind="loki", url="http://127.0.0.1:9", **columns)


def test_visit_asks_nothing_and_offers_the_button(client: Client) -> None:
    sign_in(client, Role.RESPONDER)
    make_source()

    html = client.get("/datasources/logs").content.decode()

    assert html.count('hx-post="/datasources/logs/doctor"') == 1
    assert "Examine now" in html


def test_viewer_may_not_examine(client: Client) -> None:
    sign_in(client, Role.VIEWER)
    make_source()

    assert client.post("/datasources/logs/doctor").status_code == 403


def test_silent_source_is_named_with_its_reason(client: Client) -> None:
    sign_in(client, Role.RESPONDER)
    make_source()
    Service.objects.create(slug="cart", name="Cart")

    html = client.post("/datasources/logs/doctor").content.decode()

    assert "connection refused by 127.0.0.1:9" in html
    assert html.count("unavailable") >= 2
    assert "Examine again" in html


def test_disabled_source_is_not_asked(client: Client) -> None:
    sign_in(client, Role.RESPONDER)
    make_source(enabled=False)

    html = client.post("/datasources/logs/doctor").content.decode()

    assert "It is disabled: nothing is asked." in html
