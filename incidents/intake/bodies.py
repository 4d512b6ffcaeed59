"""The body of a request, also of one that does not say how long it is.

Django reads as much as `Content-Length` says: of a chunked request, which has none, nothing.
gunicorn ends such a body itself and says so (`wsgi.input_terminated`).
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest


class Unread(Exception):
    """The body did not arrive whole; the message says so."""


class TooLarge(Exception):
    """`Content-Length` announces more than INTAKE_MAX_BYTES. The message is for the sender."""

    def __init__(self) -> None:
        limit = f"INTAKE_MAX_BYTES ({settings.INTAKE_MAX_BYTES} bytes)"
        super().__init__(f"The body is larger than {limit}.")


def announced(request: HttpRequest) -> None:
    """Look at `Content-Length` alone; nothing is read. Raises TooLarge."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.INTAKE_MAX_BYTES:
        raise TooLarge


def read(request: HttpRequest) -> bytes:
    """The body; of one without a length no more than shows that it is over the limit.

    Raises Unread.
    """
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        _complete(request, request.META["wsgi.input"])
    try:
        return request.body
    except OSError as error:
        raise Unread("The body did not arrive whole.") from error
    except RequestDataTooBig:  # daphne has received it whole, into a file
        stream = request._stream
        stream.seek(0)
        _complete(request, stream)
        return request.body


def is_over(raw: bytes) -> bool:
    return len(raw) > settings.INTAKE_MAX_BYTES


def _complete(request: HttpRequest, stream: Any) -> None:
    """Read what Django would not, and have the request look as if its length had been told."""
    try:
        raw = stream.read(settings.INTAKE_MAX_BYTES + 1)
    except OSError as error:
        raise Unread("The body did not arrive whole.") from error
    request.META["CONTENT_LENGTH"] = str(len(raw))
    request._body = raw
    request._stream = BytesIO(raw)
