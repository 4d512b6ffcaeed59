"""Who is acting and from where, for as long as a request or a command runs.

Machine work (deliveries, tasks, sweeps) has no origin: what it writes is its own record.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from accounts.address import client_address

# they run for as long as the installation does, or write no rows: nobody acts through them
UNATTENDED = frozenset(
    {
        "check",
        "collectstatic",
        "dbshell",
        "diffsettings",
        "flush",
        "makemigrations",
        "migrate",
        "runserver",
        "showmigrations",
        "spectacular",
        "sqlmigrate",
        "studio",
        "test",
        "testserver",
        "verify_audit",
        "verify_timeline",
    }
)


@dataclass(frozen=True)
class Origin:
    """`request` is None for a command; `via` is then its line, `person` who runs it here."""

    request_id: str
    address: str
    request: HttpRequest | None = None
    command: str = ""
    person: str = ""

    @property
    def via(self) -> str:
        """The door: "POST api/incidents", or the command's line."""
        if self.request is None:
            return self.command
        match = self.request.resolver_match
        return f"{self.request.method} {match.route if match else self.request.path}"


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin | None:
    return _current.get()


@contextmanager
def acting(origin: Origin | None) -> Iterator[None]:
    """`origin` acts within; None for machine work that a request happens to do."""
    before = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(before)


class OriginMiddleware:
    """Stands after the middleware that knows sessions, so that who acts can be asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = getattr(request, "request_id", "") or uuid.uuid4().hex
        with acting(Origin(request_id, client_address(request), request=request)):
            return self.get_response(request)


@contextmanager
def command(arguments: Sequence[str]) -> Iterator[None]:
    """A line of `manage.py`; no origin for the UNATTENDED ones."""
    name = arguments[0] if arguments else ""
    if not name or name.startswith("-") or name in UNATTENDED:
        yield
        return
    line = " ".join(["manage.py", *arguments])
    with acting(Origin(uuid.uuid4().hex, "local", command=line[:300], person=_system_user())):
        yield


def _system_user() -> str:
    """The operating system's name of who runs this; its number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
