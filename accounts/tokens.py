"""Issues, rotates and revokes the JWT pair of a login.

simplejwt signs and checks; families and the one-winner claim are ours, because its own
rotation lets several concurrent refreshes of one token succeed. The claim is the insertion
of the BlacklistedToken row: its unique key lets one refresh win.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, Token

from accounts.models import RefreshFamily, User

# two tabs refreshing at once are not a thief: the later one gets a 409, the family lives on
GRACE = timedelta(seconds=10)


class RefreshRefusedError(Exception):
    """The refresh token is not valid, expired, revoked, or its user may not log in."""


class RefreshSupersededError(Exception):
    """The token was used within the grace: take the pair that the other request received."""


class RefreshJwt(Token):
    """simplejwt's refresh token without its blacklist lookup: `rotate` claims instead."""

    token_type = "refresh"  # noqa: S105
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True)
class Pair:
    access_token: str
    refresh_token: str
    expires_in: int  # seconds until the access token expires
    token_type: str = "Bearer"  # noqa: S105


def issue(user: User) -> Pair:
    """The first pair of a new family: a login."""
    with transaction.atomic():
        family = RefreshFamily.objects.create(
            user=user,
            password_mark=user.get_session_auth_hash(),
            expires_at=timezone.now() + RefreshJwt.lifetime,
        )
        return _pair(family)


def rotate(raw: str) -> Pair:
    """The next pair; raises RefreshRefusedError or RefreshSupersededError.

    A token used again after the grace revokes its family: either its owner or a thief is
    behind, and nobody can tell which.
    """
    jwt = _decode(raw)
    family = family_of(jwt)
    if family is None or not family.is_live:
        raise RefreshRefusedError("The refresh token has been revoked.")
    outstanding = OutstandingToken.objects.filter(jti=jwt["jti"]).first()
    if outstanding is None:
        raise RefreshRefusedError("The refresh token is not known.")
    with transaction.atomic():
        try:
            with transaction.atomic():
                BlacklistedToken.objects.create(token=outstanding)
        except IntegrityError:
            pass  # used before: judged below, outside this transaction
        else:
            return _pair(family)
    used = BlacklistedToken.objects.get(token=outstanding)
    if timezone.now() - used.blacklisted_at <= GRACE:
        raise RefreshSupersededError("The refresh token was used a moment ago.")
    family.revoke("reuse")
    raise RefreshRefusedError("The refresh token was used twice; its login has been revoked.")


def revoke(raw: str) -> None:
    """Ends the refresh token's login; raises RefreshRefusedError for a token that is not ours."""
    family = family_of(_decode(raw))
    if family is not None:
        family.revoke("logout")


def family_of(jwt: Token) -> RefreshFamily | None:
    """The login that a signed token belongs to, with its user; None when either is gone."""
    try:
        key = uuid.UUID(str(jwt.get("family")))
    except ValueError:
        return None
    family = RefreshFamily.objects.select_related("user").filter(pk=key).first()
    return family if family is not None and str(family.user_id) == jwt.get("user_id") else None


def _decode(raw: str) -> RefreshJwt:
    try:
        return RefreshJwt(raw)  # type: ignore[arg-type]  # stubs want a Token
    except (TokenError, ValueError, OverflowError) as error:  # the latter: an exp beyond dates
        raise RefreshRefusedError("The refresh token is not valid or has expired.") from error


def _pair(family: RefreshFamily) -> Pair:
    user = family.user
    refresh, access = RefreshJwt(), AccessToken()
    for token in (refresh, access):
        token["user_id"] = str(user.pk)
        token["username"] = user.username
        token["email"] = user.email
        token["roles"] = user.roles
        token["family"] = str(family.pk)
    expires_at = datetime.fromtimestamp(refresh["exp"], UTC)
    OutstandingToken.objects.create(
        user=user,
        jti=refresh["jti"],
        token="",  # the text itself is a credential: not kept
        created_at=refresh.current_time,
        expires_at=expires_at,
    )
    RefreshFamily.objects.filter(pk=family.pk).update(expires_at=expires_at)
    return Pair(
        access_token=str(access),
        refresh_token=str(refresh),
        expires_in=int(api_settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
    )
