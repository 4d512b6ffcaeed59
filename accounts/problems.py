"""Errors as application/problem+json (RFC 9457): {type, title, status, detail, errors?, ...}.

`type` is a short slug relative to the API, such as `timeline-sealed`: what scripts compare.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.busy import RETRY_AFTER_SECONDS, is_busy

MEDIA_TYPE = "application/problem+json"
MOST_NAMED = 5


class ProblemRenderer(JSONRenderer):
    media_type = MEDIA_TYPE
    format = "problem"


class Problem(exceptions.APIException):
    """Raise it in an API view: any status, slug and further members."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail, slug)
        self.status_code = status
        self.slug = slug
        self.title = title
        self.headers = dict(headers or {})
        self.extra = extra


def members(status: int, slug: str, title: str | None, detail: str, **extra: Any) -> dict[str, Any]:
    title = title or HTTPStatus(status).phrase
    return {"type": slug, "title": title, "status": status, "detail": detail, **extra}


def problem(
    status: int,
    slug: str,
    detail: str,
    *,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> HttpResponse:
    """The same answer for any view, Django's plain ones included."""
    body = json.dumps(members(status, slug, title, detail, **extra), cls=DjangoJSONEncoder)
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


@csrf_exempt
def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Catch-all of /api/*: no HTML page for a script."""
    return problem(404, "not-found", f"Nothing is at {request.path[:200]}.")


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a problem for scripts, a page for people; 503 where another try may help."""
    if is_busy(sys.exception()):
        return _busy(request)
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    named = getattr(request, "request_id", "")
    extra: dict[str, Any] = {"request_id": named} if named else {}
    why = "The error has been logged; nothing you sent was half saved."
    return problem(500, "internal-error", why, **extra)


def _busy(request: HttpRequest) -> HttpResponse:
    """A problem for what htmx sent too: the page shows its text, and keeps what was typed."""
    wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if request.path.startswith("/api/") or request.headers.get("HX-Request"):
        why = "Too many write at once. Nothing you sent was half saved: send it again in a moment."
        return problem(503, "busy", why, headers=wait)
    return HttpResponse(loader.render_to_string("503.html"), status=503, headers=wait)


def field_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Nested serializer errors as {dotted path: [message, ...]}; "" becomes `non_field_errors`."""
    found: dict[str, list[str]] = {}
    if isinstance(detail, Mapping):
        parts = [(f"{path}.{key}" if path else str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list):
        parts = []
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            parts.append((f"{path}.{index}".lstrip(".") if nested else path, value))
    else:
        return {path or "non_field_errors": [str(detail)]}
    for where, value in parts:
        for field, messages in field_errors(value, where).items():
            found.setdefault(field, []).extend(messages)
    return found


def as_api_exception(exc: Exception) -> exceptions.APIException | None:
    if isinstance(exc, exceptions.APIException):
        return exc
    if isinstance(exc, Http404):
        return exceptions.NotFound(*exc.args)
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied(*exc.args)
    if isinstance(exc, ProtectedError | RestrictedError):
        return _in_use(exc)
    if isinstance(exc, DjangoValidationError):
        detail: Any = exc.messages
        if hasattr(exc, "error_dict"):
            detail = {
                "non_field_errors" if field == NON_FIELD_ERRORS else field: messages
                for field, messages in exc.message_dict.items()
            }
        return exceptions.ValidationError(detail)
    return None


def _in_use(exc: ProtectedError | RestrictedError) -> Problem:
    """What is to be removed and what still refers to it."""
    found = exc.protected_objects if isinstance(exc, ProtectedError) else exc.restricted_objects
    users = sorted(f"{row._meta.verbose_name} {row}" for row in found)
    more = f" and {len(users) - MOST_NAMED} more" if len(users) > MOST_NAMED else ""
    return Problem(409, "in-use", f"Still used by {', '.join(users[:MOST_NAMED])}{more}.")


def slug_of(exc: exceptions.APIException) -> str:
    if isinstance(exc, exceptions.ValidationError):
        return "invalid"
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    return code.replace("_", "-")


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """EXCEPTION_HANDLER of the REST framework; None lets Django answer 500.

    Members: an exception's `extra` dict is added, its `title` wins over the status phrase.
    """
    api = as_api_exception(exc)
    if api is None:
        return None
    extra = dict(getattr(api, "extra", {}))
    if isinstance(api.detail, Mapping | list):
        extra = {"errors": field_errors(api.detail), **extra}
        detail = "; ".join(
            f"{field}: {' '.join(messages)}" for field, messages in extra["errors"].items()
        )
    else:
        detail = str(api.detail)
    headers = dict(getattr(api, "headers", {}))
    if challenge := getattr(api, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(api, "wait", None):
        headers["Retry-After"] = str(int(wait))
    status = api.status_code
    body = members(status, slug_of(api), getattr(api, "title", None), detail, **extra)
    set_rollback()
    request = context.get("request")
    renderer = getattr(request, "accepted_renderer", None)
    if request is not None and not isinstance(renderer, BrowsableAPIRenderer):
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = MEDIA_TYPE
    return Response(body, status=status, headers=headers)
