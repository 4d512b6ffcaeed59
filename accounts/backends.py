"""Checks passwords for every door: the API, the login page, the Django admin."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import throttle
from accounts.address import client_address
from accounts.models import User

logger = logging.getLogger(__name__)


def find_person(identifier: str) -> User | None:
    """By username or email, in any case of letters."""
    field = "email__iexact" if "@" in identifier else "username__iexact"
    return User.objects.filter(**{field: identifier}).first()


def account_key(identifier: str, user: User | None) -> str:
    """One name for an account however it was spelled; unknown ones are counted alike."""
    return str(user.pk) if user is not None else identifier.casefold()


class ThrottledBackend(ModelBackend):
    """Username or email, throttled; an unknown or inactive account costs the same hashing."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if not username or password is None or "\x00" in username:
            return None
        user = find_person(username)
        account = account_key(username, user)
        address = client_address(request) if request is not None else None
        if throttle.wait_seconds(account, address):
            raise PermissionDenied("too many failed logins")
        if user is None:
            User().set_password(password)
        elif user.check_password(password) and user.is_active:
            throttle.note_success(account)
            return user
        throttle.note_failure(account, address)
        logger.warning("login failed", extra={"fields": {"address": address}})
        return None

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        # ModelBackend's own would pass the throttle by
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)
