from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import ProtectedError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.problems import (
    Problem,
    as_api_exception,
    field_errors,
    problem,
    server_error,
    slug_of,
)
from incidents.lifecycle import open_incident
from incidents.models import Service


class Conflict(exceptions.APIException):
    status_code = 409
    default_detail = "It is resolved."
    default_code = "transition_forbidden"
    extra = {"allowed": ["reopen"]}


def answer_to(error: Exception, accept: str = "application/json") -> Response:
    class Failing(APIView):
        authentication_classes: list[Any] = []
        permission_classes: list[Any] = []
        renderer_classes = [JSONRenderer, BrowsableAPIRenderer]

        def get(self, request: Request) -> Response:
            raise error

    response: Response = Failing.as_view()(APIRequestFactory().get("/", HTTP_ACCEPT=accept))
    return response.render()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            Conflict(),
            {
                "type": "transition-forbidden",
                "title": "Conflict",
                "status": 409,
                "detail": "It is resolved.",
                "allowed": ["reopen"],
            },
        ),
        (
            Problem(409, "timeline-sealed", "It is over.", title="Sealed", at="now"),
            {
                "type": "timeline-sealed",
                "title": "Sealed",
                "status": 409,
                "detail": "It is over.",
                "at": "now",
            },
        ),
        (
            exceptions.ValidationError({"service": ["Unknown: 'x'."]}),
            {
                "type": "invalid",
                "title": "Bad Request",
                "status": 400,
                "detail": "service: Unknown: 'x'.",
                "errors": {"service": ["Unknown: 'x'."]},
            },
        ),
        (
            DjangoValidationError({"name": "Too long."}),
            {
                "type": "invalid",
                "title": "Bad Request",
                "status": 400,
                "detail": "name: Too long.",
                "errors": {"name": ["Too long."]},
            },
        ),
        (
            DjangoValidationError("No."),
            {
                "type": "invalid",
                "title": "Bad Request",
                "status": 400,
                "detail": "non_field_errors: No.",
                "errors": {"non_field_errors": ["No."]},
            },
        ),
        (
            Http404("No such incident."),
            {
                "type": "not-found",
                "title": "Not Found",
                "status": 404,
                "detail": "No such incident.",
            },
        ),
        (
            PermissionDenied("Not yours."),
            {
                "type": "permission-denied",
                "title": "Forbidden",
                "status": 403,
                "detail": "Not yours.",
            },
        ),
    ],
)
def test_exceptions_become_problems(error: Exception, expected: dict[str, Any]) -> None:
    response = answer_to(error)

    assert json.loads(response.content) == expected
    assert response.headers["Content-Type"] == "application/problem+json"


def test_throttled_says_when_to_retry() -> None:
    assert answer_to(exceptions.Throttled(wait=30)).headers["Retry-After"] == "30"


def test_unacceptable_media_type_is_a_problem_too() -> None:
    response = answer_to(Conflict(), accept="image/png")

    assert response.status_code == 406
    assert response.headers["Content-Type"] == "application/problem+json"


def test_browsable_renderer_keeps_its_page() -> None:
    response = answer_to(Conflict(), accept="text/html")

    assert response.status_code == 409
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_field_errors_are_flat() -> None:
    nested = {"name": ["a", "b"], "services": [{}, {"slug": ["c"]}], "window": {"start": "d"}}

    assert field_errors(nested) == {
        "name": ["a", "b"],
        "services.1.slug": ["c"],
        "window.start": ["d"],
    }


def test_problem_serves_plain_views() -> None:
    response = problem(404, "no-lab", "The lab is off.", headers={"X-A": "b"}, hint=1)

    assert json.loads(response.content) == {
        "type": "no-lab",
        "title": "Not Found",
        "status": 404,
        "detail": "The lab is off.",
        "hint": 1,
    }
    assert (response.status_code, response.headers["X-A"]) == (404, "b")


@pytest.mark.parametrize("path", ["/api/nothing", "/api/auth/login/", "/api/a/b?c=d"])
def test_unknown_api_path_is_a_problem(path: str) -> None:
    response = Client().post(path)

    assert (response.status_code, response.json()["type"]) == (404, "not-found")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/incidents", "application/problem+json"), ("/services", "text/html")]
)
def test_what_breaks_is_a_problem_for_scripts_and_a_page_for_people(path: str, kind: str) -> None:
    response = server_error(RequestFactory().get(path))

    assert response.status_code == 500
    assert response.headers["Content-Type"].partition(";")[0] == kind


@pytest.mark.django_db
def test_what_is_still_referred_to_is_a_conflict_that_names_it() -> None:
    service = Service.objects.create(slug="checkout", name="Checkout")
    open_incident(title="Slow", severity="high", services=[service], source="api")
    with pytest.raises(ProtectedError) as refused:
        service.delete()

    found = as_api_exception(refused.value)

    assert found is not None
    assert (found.status_code, slug_of(found)) == (409, "in-use")
    assert str(found.detail).startswith("Still used by affected service ")
