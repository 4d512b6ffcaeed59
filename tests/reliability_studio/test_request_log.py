from __future__ import annotations

import json
import logging

import pytest
from django.test import Client

from reliability_studio.request_log import JsonFormatter


def fields_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [r.__dict__["fields"] for r in caplog.records if r.name == "studio.request"]


def test_request_log_has_one_line_a_request(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "studio.request")

    response = client.post("/health", headers={"X-Request-ID": "abc-123"})

    (fields,) = fields_of(caplog)
    assert isinstance(fields.pop("ms"), float)
    assert response.headers["X-Request-ID"] == "abc-123"
    assert fields == {
        "id": "abc-123",
        "user": None,
        "method": "POST",
        "route": "health",
        "status": 405,
    }


@pytest.mark.parametrize("unusable", ["", "a b", "x" * 65, 'a"b'])
def test_request_log_replaces_an_unusable_id(client: Client, unusable: str) -> None:
    response = client.post("/health", headers={"X-Request-ID": unusable})

    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.django_db
def test_request_log_names_the_user_of_a_session(
    client: Client, admin_user: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "studio.request")
    client.force_login(admin_user)  # type: ignore[arg-type]

    client.get("/admin/")

    assert [f["user"] for f in fields_of(caplog)] == [str(admin_user.pk)]  # type: ignore[attr-defined]


def test_request_log_asks_no_database_for_the_user(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "studio.request")
    client.cookies["sessionid"] = "anything"

    client.post("/health")  # a query would be refused: the test has no database

    assert [f["user"] for f in fields_of(caplog)] == [None]


def test_json_formatter_writes_one_object_a_line() -> None:
    record = logging.LogRecord("a.b", logging.WARNING, "", 0, "two\nlines %s", ("x",), None)
    record.created, record.msecs = 0.25, 250.0
    record.fields = {"id": "7"}

    line = JsonFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line) == {
        "at": "1970-01-01T00:00:00.250Z",
        "level": "warning",
        "logger": "a.b",
        "message": "two\nlines x",
        "id": "7",
    }
