from __future__ import annotations

import threading
import time

import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings

from reliability_studio import health
from tests.servers import free_port


@pytest.mark.django_db(transaction=True)
def test_health_is_ok_for_anybody(client: Client) -> None:
    response = client.get("/health")

    answer = response.json()
    assert response.status_code == 200
    assert answer["status"] == "ok"
    assert answer["version"] == configured.VERSION
    assert {name: check["status"] for name, check in answer["checks"].items()} == dict.fromkeys(
        ("database", "migrations", "broker", "channel_layer"), "ok"
    )


@pytest.mark.django_db(transaction=True)
def test_health_is_degraded_without_broker(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    response = client.get("/health")

    answer = response.json()
    assert (response.status_code, answer["status"]) == (200, "degraded")
    assert answer["checks"]["broker"] == {"status": "failed", "reason": "ConnectionError"}
    assert answer["checks"]["database"]["status"] == "ok"


def test_health_answers_503_without_database(client: Client) -> None:
    # without the django_db mark every query is refused, as by a server that is down
    response = client.get("/health")

    assert response.status_code == 503
    assert response.json()["checks"]["database"]["status"] == "failed"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_health_is_read_only(client: Client, method: str) -> None:
    assert getattr(client, method)("/health").status_code == 405


def test_answer_does_not_wait_for_a_check_that_hangs() -> None:
    started, released = threading.Event(), threading.Event()

    def hang() -> float:
        started.set()
        released.wait()
        return 0.0

    hanging = health._threads.submit(hang)
    started.wait()

    answer = health._answer("database", hanging, deadline=time.monotonic())

    assert not hanging.done()
    assert answer == {"status": "failed", "reason": "no answer within 2 s"}
    released.set()
