"""What Django does that belongs into the audit, and its triggers after every migrate."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts.audit import record
from accounts.audit.triggers import GUARD
from accounts.backends import find_person


@receiver(post_migrate, dispatch_uid="accounts.install_triggers")
def install_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "accounts":
        GUARD.install(connections[using])


@receiver(user_login_failed, dispatch_uid="accounts.login_failed")
def login_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Of whose account; not what was typed as the name, which may be the password."""
    record("login.failed", find_person(str(credentials.get("username") or "")))


@receiver(user_logged_out, dispatch_uid="accounts.logged_out")
def logged_out(user: Any, **kwargs: Any) -> None:
    if user is not None:
        record("login.ended", user, actor=user)
