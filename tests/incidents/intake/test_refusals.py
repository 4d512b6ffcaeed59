"""What is not taken: too large, over a limit, or at a moment when it cannot be kept."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError, connection
from rest_framework.test import APIClient

from accounts.models import ApiToken
from incidents.intake import bodies
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


@pytest.mark.parametrize(
    "path", [URL, *(f"/api/intake/{name}" for name in ("grafana", "events", "changes"))]
)
def test_body_announced_too_large_is_not_read_for_anybody(
    db: None, settings: Any, path: str
) -> None:
    """Without a token too: the length is looked at first."""
    settings.INTAKE_MAX_BYTES = 1000
    sender = APIClient()

    answer = sender.generic("POST", path, b"", **{"wsgi.input": Unread(), "CONTENT_LENGTH": "1001"})

    assert answer.status_code == 413


def chunked(sender: APIClient, path: str, raw: bytes) -> Any:
    """A request without a length, as gunicorn passes it on."""
    more = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True}
    return sender.generic("POST", path, b"", content_type="application/json", **more)


def test_body_without_a_length_is_read(intake: APIClient) -> None:
    answer = chunked(intake, URL, json.dumps({"alerts": [alert()]}).encode())

    assert (answer.status_code, answer.json()["alerts"]) == (202, 1)
    assert Alert.objects.get().name == "HighErrorRate"


def test_change_without_a_length_is_read(intake: APIClient, make_service: Any) -> None:
    make_service("checkout")
    change = {"service": "checkout", "kind": "deploy", "at": "2026-01-01T00:00:00Z", "ref": "v2"}

    answer = chunked(intake, "/api/intake/changes", json.dumps(change).encode())

    assert (answer.status_code, answer.json()["ref"]) == (202, "v2")


def test_body_without_a_length_over_the_limit_is_kept_as_rejected(
    intake: APIClient, settings: Any
) -> None:
    """No more of it is read than shows that it is over."""
    settings.INTAKE_MAX_BYTES = 1000
    raw = io.BytesIO(b"x" * 5000)
    more = {"wsgi.input": raw, "wsgi.input_terminated": True}

    answer = intake.generic("POST", URL, b"", **more)

    delivery = Delivery.objects.get()
    said = "the body is larger than INTAKE_MAX_BYTES (1000 bytes); it is kept up to there"
    assert (answer.status_code, answer.json()["rejected"]) == (202, said)
    assert (delivery.state, delivery.error, delivery.body) == ("rejected", said, "x" * 1001)
    assert raw.tell() == 1001


def test_body_without_a_length_that_daphne_received_is_read_up_to_the_limit(
    settings: Any,
) -> None:
    settings.INTAKE_MAX_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    scope = {"type": "http", "method": "POST", "path": URL, "headers": []}
    request = ASGIRequest(scope, io.BytesIO(b"x" * 5000))

    raw = bodies.read(request)

    assert (raw, bodies.is_over(raw)) == (b"x" * 1001, True)


@pytest.mark.parametrize("path", ["/api/intake/events", "/api/intake/changes"])
def test_body_that_does_not_say_whose_it_is_in_time_is_413(
    db: None, settings: Any, path: str
) -> None:
    """An event's key stands in what was not read; a change is told of by no delivery."""
    settings.INTAKE_MAX_BYTES = 1000

    answer = chunked(APIClient(), path, b"x" * 5000)

    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
    assert Delivery.objects.count() == 0


class Broken(io.RawIOBase):
    """A body whose sender goes away."""

    def read(self, size: int = -1) -> NoReturn:
        raise ConnectionResetError


def test_body_that_does_not_arrive_whole_is_400(intake: APIClient) -> None:
    more = {"wsgi.input": Broken(), "wsgi.input_terminated": True}

    answer = intake.generic("POST", URL, b"", **more)

    assert (answer.status_code, answer.json()["detail"]) == (400, "The body did not arrive whole.")


def test_packed_body_is_400_and_says_how_to_send_it(intake: APIClient) -> None:
    packed = gzip.compress(json.dumps({"alerts": [alert()]}).encode())

    answer = intake.generic(
        "POST", URL, packed, content_type="application/json", HTTP_CONTENT_ENCODING="gzip"
    )

    assert answer.status_code == 400
    assert answer.json()["detail"].endswith("Its Content-Encoding is 'gzip': send it as it is.")


@pytest.mark.parametrize("path", ["/api/intake/changes", URL])
def test_database_that_refuses_anything_is_503(intake: APIClient, path: str) -> None:
    body = {"service": "checkout", "kind": "deploy", "at": "2026-01-01T00:00:00Z", "ref": "v2"}

    def refuse(*_: Any) -> NoReturn:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse):
        answer = intake.post(path, body, format="json")

    assert (answer.status_code, answer.json()["type"]) == (503, "database-unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("path", [f"{URL}/", "/api/intake/elsewhere"])
def test_address_that_is_none_is_404_for_scripts(db: None, path: str) -> None:
    """Not a page about forms: senders have none."""
    sender = APIClient(enforce_csrf_checks=True)

    answer = sender.post(path, {}, format="json")

    assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


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
