"""Deliveries go past the middleware that pages need; everything else goes through it."""

from __future__ import annotations

import pytest
from django.test import Client


def test_intake_answers_without_session_and_page_headers(db: None) -> None:
    answer = Client().post("/api/intake/alertmanager", b"{}", content_type="application/json")

    assert answer.status_code == 401
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in answer
    assert answer["X-Request-ID"]


@pytest.mark.parametrize("path", ["/api/intake/", "/api/intake/elsewhere", "/api/intake/a/b/c"])
def test_unknown_address_of_intake_is_a_problem_like_any_other(db: None, path: str) -> None:
    answer = Client().post(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("name", ["alertmanager", "grafana", "events"])
def test_deliveries_are_sent_with_post(db: None, name: str) -> None:
    answer = Client().get(f"/api/intake/{name}")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_change_is_answered_on_the_short_way_too(db: None) -> None:
    answer = Client().post("/api/intake/changes/rst_wrong", {}, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


def test_health_goes_the_long_way(db: None) -> None:
    assert "Content-Security-Policy" in Client().get("/health")
