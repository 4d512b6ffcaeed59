"""Signing in with a password, for the API and the login page."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest

from accounts import audit, throttle
from accounts.address import client_address
from accounts.backends import account_key, find_person
from accounts.models import User


class BadCredentialsError(Exception):
    """Wrong password, unknown or inactive account: never said which."""


class LockedError(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed logins. Try again in {seconds} s.")
        self.seconds = seconds


def sign_in(request: HttpRequest, *, identifier: str, password: str) -> User:
    """The user of this username or email and password.

    Raises LockedError while the account or the address is locked, whatever the password, and
    BadCredentialsError.
    """
    account = account_key(identifier, find_person(identifier))
    if seconds := throttle.wait_seconds(account, client_address(request)):
        raise LockedError(seconds)
    user = authenticate(request, username=identifier, password=password)
    if not isinstance(user, User):
        raise BadCredentialsError("No active account has this name and password.")
    audit.record("login.started", user, actor=user)
    return user
