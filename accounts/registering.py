"""Opening an account, and issuing tokens for one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import ApiToken, Role, Scope, User

SCOPES_OF = {
    Role.VIEWER: [Scope.READ],
    Role.RESPONDER: [Scope.READ, Scope.WRITE, Scope.INTAKE],
    Role.ADMIN: [Scope.READ, Scope.WRITE, Scope.ADMIN, Scope.INTAKE],
}


def name_taken(*, username: str = "", email: str = "") -> bool:
    if username and User.objects.filter(username__iexact=username).exists():
        return True
    return bool(email) and User.objects.filter(email__iexact=email).exists()


def register(*, username: str, email: str, password: str, time_zone: str = "UTC") -> User:
    """A new viewer, from validated input; ValidationError when somebody else was faster."""
    try:
        with transaction.atomic():
            return User.objects.create_user(username, email, password, time_zone=time_zone)
    except IntegrityError as error:
        raise ValidationError({"username": "This username or email was just taken."}) from error


def issue_token(
    person: User,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    without_owner: bool = False,
) -> tuple[ApiToken, str]:
    """A token that `person` may hand out; ValidationError names what their role does not allow."""
    allowed = {scope.value for scope in SCOPES_OF[person.effective_role]}
    if refused := sorted(set(scopes) - allowed):
        raise ValidationError({"scopes": f"Your role does not allow: {', '.join(refused)}."})
    if without_owner and not person.has_role(Role.ADMIN):
        raise ValidationError({"without_owner": "Only an administrator may do this."})
    owner = None if without_owner else person
    return ApiToken.issue(name=name, scopes=scopes, owner=owner, expires_at=expires_at)
