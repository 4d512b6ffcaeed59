"""Who delivers, in one statement: the token, whether it still holds, and its source.

The statement that notes a token's use is the one that looks it up, once a minute and process.
In between a process remembers who a token was, and the statement that stores checks that it still
is (`proof`).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from accounts.authentication import BearerAuthentication
from accounts.models import (
    INCLUDED_IN,
    TOKEN_MARK,
    USED_STEP,
    ApiToken,
    Role,
    Scope,
    User,
    hash_token,
)
from incidents.intake import alerts, overload, prepared
from incidents.intake.proof import Proof
from incidents.models import AlertSource

MOST_NOTED = 10_000
NOTED_SECONDS = USED_STEP.total_seconds()
_noted: dict[str, float] = {}
_remembered: dict[tuple[str, str], Sender] = {}

WHAT = """
  scopes, owner_id,
  (SELECT role FROM accounts_user WHERE accounts_user.id = owner_id AND is_active),
  (SELECT is_superuser FROM accounts_user WHERE accounts_user.id = owner_id AND is_active),
  (SELECT {source} FROM incidents_alertsource AS source WHERE source.id = coalesce(
    (SELECT source_id FROM incidents_sourcetoken WHERE token_id = accounts_apitoken.id),
    (SELECT named.id FROM incidents_alertsource AS named WHERE named.slug = %(slug)s))),
  {overload}
"""
HOLDS = """
  token_hash = %(hash)s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %(now)s)
"""
LOOK_UP = f"SELECT {WHAT} FROM accounts_apitoken WHERE {HOLDS}"  # noqa: S608 - constants
NOTE_USE = f"""
UPDATE accounts_apitoken SET last_used_at = %(now)s WHERE {HOLDS} RETURNING {WHAT}
"""  # noqa: S608 - constants
SOURCE = {
    "postgresql": "jsonb_build_array(source.id, source.slug, source.ignored_labels, source.kind)",
    "sqlite": "json_array(source.id, source.slug, json(source.ignored_labels), source.kind)",
}


class Refused(Exception):
    """A credential that may not deliver: status 401 or 403, problem slug and detail."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail


@dataclass(frozen=True)
class Sender:
    """`source` is None when the credential is bound to none and none has the name yet."""

    source: AlertSource | None
    proof: Proof | None = None

    def source_named(self, slug: str, kind: str) -> AlertSource:
        return self.source or alerts.source_of(slug, kind)


def authenticate(request: HttpRequest, plain: str | None, slug: str) -> Sender:
    """The sender with this token, else with the request's bearer. Raises Refused.

    `slug` names the source for credentials that are bound to none.
    """
    addressed, plain = plain is not None, plain or bearer(request)
    if plain is None:
        raise Refused(401, "not-authenticated", "Send an intake token as the bearer.")
    # one in the address is an API token: it must not lead to whom the header names instead
    if addressed or plain.startswith(TOKEN_MARK):
        return _token(plain, slug)
    return _person(request, slug)


def bearer(request: HttpRequest) -> str | None:
    """What the Authorization header bears, if it bears anything."""
    scheme, _, plain = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return plain.strip() or None if scheme.lower() == "bearer" else None


def recall(request: HttpRequest, plain: str | None, slug: str) -> Sender | None:
    """Who this token was a moment ago, and what to prove; None when it is to be looked up."""
    plain = plain or bearer(request)
    # nobody is remembered on SQLite, whose store checks no proof
    if plain is None or not _remembered or not overload.gate.is_fresh():
        return None
    digest = hash_token(plain)
    return _remembered.get((digest, slug)) if _is_noted(digest) else None


def _token(plain: str, slug: str) -> Sender:
    digest = hash_token(plain)
    row = _row(digest, slug)
    if row is None:
        raise Refused(
            401, "authentication-failed", "The API token is not valid, has expired or was revoked."
        )
    scopes, owner_id, role, is_superuser, packed, waiting = row
    overload.note(waiting)
    scopes = json.loads(scopes) if isinstance(scopes, str) else scopes
    if owner_id is not None and role is None:
        raise Refused(401, "authentication-failed", "The owner of the API token is not active.")
    if not any(held in INCLUDED_IN[Scope.INTAKE] for held in scopes):
        raise Refused(403, "scope-missing", "The API token lacks the scope 'intake'.")
    if owner_id is not None:
        owner = User(role=role, is_superuser=bool(is_superuser), is_active=True)
        _require_responder(owner)
    source = _source(packed)
    if owner_id is None and source is not None and connection.vendor == "postgresql":
        proof = Proof(digest, json.dumps(source.ignored_labels))
        _remembered[digest, slug] = Sender(source, proof)
    return Sender(source)


def _row(digest: str, slug: str) -> tuple[Any, ...] | None:
    now = timezone.now()
    monotonic = time.monotonic()
    fresh = _is_noted(digest)
    statement = (LOOK_UP if fresh else NOTE_USE).format(
        source=SOURCE[connection.vendor], overload=overload.statement()
    )
    values = {
        "hash": digest,
        "slug": slug,
        "now": connection.ops.adapt_datetimefield_value(now),
        **overload.values(),
    }
    with prepared.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is not None and not fresh:
        if len(_noted) > MOST_NOTED:
            _noted.clear()
            _remembered.clear()
        _noted[digest] = monotonic
    return row


def _is_noted(digest: str) -> bool:
    return time.monotonic() - _noted.get(digest, float("-inf")) < NOTED_SECONDS


def _source(packed: Any) -> AlertSource | None:
    if packed is None:
        return None
    pk, slug, ignored, kind = json.loads(packed) if isinstance(packed, str) else packed
    source = AlertSource(id=UUID(pk), slug=slug, ignored_labels=ignored, kind=kind)
    source._state.adding = False
    return _from_outside(source)


def _from_outside(source: AlertSource) -> AlertSource:
    """The source, unless only we deliver as it. Raises Refused."""
    if source.kind == AlertSource.Kind.INTERNAL:
        raise Refused(403, "source-internal", f"Nothing delivers as {source.slug} from outside.")
    return source


def _person(request: HttpRequest, slug: str) -> Sender:
    """A person's access token, for trying things out."""
    try:
        known = BearerAuthentication().authenticate(request)  # type: ignore[arg-type]  # reads META
    except AuthenticationFailed as error:
        raise Refused(401, "authentication-failed", str(error.detail)) from error
    user = known[0] if known else None
    if not isinstance(user, User) or (known and isinstance(known[1], ApiToken)):
        raise Refused(401, "not-authenticated", "Send an intake token as the bearer.")
    _require_responder(user)
    named = AlertSource.objects.filter(slug=slug).first()
    return Sender(_from_outside(named) if named is not None else None)


def _require_responder(user: User) -> None:
    if not user.has_role(Role.RESPONDER):
        raise Refused(403, "role-too-low", "This needs the role 'responder'.")
