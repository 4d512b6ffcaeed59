"""One JSON line a request: id, user, route, status, ms."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject, empty

from accounts import origin
from reliability_studio.request_count import count_request

logger = logging.getLogger("studio.request")
SECRET = re.compile(r"(rst_[A-Za-z0-9_-]{4})[A-Za-z0-9_-]{8,}")
"""An API token, wherever it stands: senders without headers carry it in the address."""

ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class JsonFormatter(logging.Formatter):
    """Every record as one JSON object; `extra={"fields": {...}}` adds members.

    What is logged for a request or a command carries its `request_id`. Of an API token only the
    beginning is written.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if found := origin.current():
            line["request_id"] = found.request_id
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return SECRET.sub(r"\1…", json.dumps(line, default=str))


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        seconds = time.perf_counter() - started
        count_request(
            method=request.method or "",
            route=match.route if match else None,
            status=response.status_code,
            seconds=seconds,
        )
        logger.info(
            "request",
            extra={
                "fields": {
                    "id": request_id,
                    "user": _user_id(request),
                    "method": request.method,
                    "route": match.route if match else request.path[:200],
                    "status": response.status_code,
                    "ms": round(seconds * 1000, 1),
                }
            },
        )
        response.headers["X-Request-ID"] = request_id
        return response


def _user_id(request: HttpRequest) -> str | None:
    """Who asked, if answering needed to know: the log itself asks no database."""
    user = getattr(request, "user", None)
    if isinstance(user, LazyObject) and user._wrapped is empty:
        return None
    return str(user.pk) if user is not None and user.is_authenticated else None
