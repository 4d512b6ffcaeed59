"""What is not taken: too large, over a limit, or at a moment when it cannot be kept."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.db import InterfaceError, OperationalError, connection
from rest_framework.test import APIClient

from accounts.models import ApiToken
from incidents.models import Alert, Delivery

URL = "/api/intake/alertmanager"
Change = Callable[[dict[str, Any]], Any]


class Unread(io.RawIOBase):
    """A body that nobody may look at."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> NoReturn:
        raise AssertionError("the body was read")


def alert(**more: Any) -> dict[str, Any]:
    labels = {"alertname": "HighErrorRate", "service": "checkout"}
    return {"status": "firing", "labels": labels, "fingerprint": "f1", **more}


def test_body_announced_too_large_is_413_and_not_read(intake: APIClient, settings: Any) -> None:
    settings.INTAKE_MAX_BYTES = 1000

    answer = intake.generic("POST", URL, b"", **{"wsgi.input": Unread(), "CONTENT_LENGTH": "1001"})

    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize("path", [URL, "/api/intake/grafana", "/api/intake/events"])
def test_body_announced_too_large_is_not_read_for_anybody(
    db: None, settings: Any, path: str
) -> None:
    """Without a token too: the length is looked at first."""
    settings.INTAKE_MAX_BYTES = 1000
    sender = APIClient()

    answer = sender.generic("POST", path, b"", **{"wsgi.input": Unread(), "CONTENT_LENGTH": "1001"})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("limits", "alerts", "said"),
    [
        (
            {"INTAKE_MAX_ALERTS": 1},
            [alert(), alert(fingerprint="f2")],
            "alerts: 2 are more than INTAKE_MAX_ALERTS (1)",
        ),
        (
            {"INTAKE_MAX_LABELS": 1},
            [alert()],
            "HighErrorRate: 2 labels are more than INTAKE_MAX_LABELS (1)",
        ),
        (
            {"INTAKE_MAX_LABEL_LENGTH": 16},
            [alert(fingerprint="f" * 17)],
            "HighErrorRate: its fingerprint is longer than INTAKE_MAX_LABEL_LENGTH (16)",
        ),
    ],
)
def test_body_over_a_limit_is_kept_as_rejected_and_answered_202(
    intake: APIClient, settings: Any, limits: dict[str, int], alerts: list[Any], said: str
) -> None:
    for name, value in limits.items():
        setattr(settings, name, value)
    body = json.dumps({"alerts": alerts})

    answer = intake.generic("POST", URL, body, content_type="application/json")

    kept = Delivery.objects.get()
    assert (answer.status_code, answer.json()["rejected"]) == (202, said)
    assert (kept.state, kept.error, kept.body) == ("rejected", said, body)
    assert Alert.objects.count() == 0


def test_rejected_delivery_is_shown_with_its_reason(
    intake: APIClient, viewer_api: APIClient, settings: Any
) -> None:
    settings.INTAKE_MAX_ALERTS = 1
    intake.post(URL, {"alerts": [alert(), alert(fingerprint="f2")]}, format="json")

    [shown] = viewer_api.get("/api/deliveries?state=rejected").json()["results"]

    assert shown["error"] == "alerts: 2 are more than INTAKE_MAX_ALERTS (1)"


@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
@pytest.mark.parametrize("statement", ["INSERT", "SELECT"])
def test_database_that_refuses_is_503_and_nothing_is_acknowledged(
    intake: APIClient, failure: type[Exception], statement: str
) -> None:
    """`statement` is how the first refused one begins: the token is looked up, or it is kept."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if statement == "SELECT" or "INSERT INTO" in sql:
            raise failure("the server closed the connection")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        answer = intake.post(URL, {"alerts": [alert()]}, format="json")

    assert answer.status_code == 503
    assert (answer.json()["type"], answer["Retry-After"]) == ("database-unavailable", "5")
    assert (Delivery.objects.count(), Alert.objects.count()) == (0, 0)


def test_delivery_is_taken_when_it_is_sent_again(intake: APIClient) -> None:
    """The refusal left nothing behind: no place taken at the gate, nothing remembered."""

    def refuse(*args: Any) -> Any:
        raise OperationalError("the database is locked")

    with connection.execute_wrapper(refuse):
        refused = intake.post(URL, {"alerts": [alert()]}, format="json")
    taken = intake.post(URL, {"alerts": [alert()]}, format="json")

    assert (refused.status_code, taken.status_code) == (503, 202)
    assert Alert.objects.count() == 1


def test_token_of_another_scope_is_403_and_nothing_is_kept(db: None, sam: Any) -> None:
    _token, plain = ApiToken.issue(name="reader", scopes=["read"], owner=sam)
    sender = APIClient()
    sender.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")

    answer = sender.post(URL, {"alerts": [alert()]}, format="json")

    assert answer.status_code == 403
    assert Delivery.objects.count() == 0
