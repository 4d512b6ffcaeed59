"""Who uses the product: people, their roles and the tokens of machines."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.audit import record
from accounts.audit.models import (  # noqa: F401  (Django looks for an app's models here)
    AuditAnchor,
    AuditDraft,
    AuditEntry,
)

TOKEN_MARK = "rst_"  # noqa: S105  (tells our tokens from JWTs)
USED_STEP = timedelta(minutes=1)  # last_used_at is written at most this often


class Role(models.TextChoices):
    """What a person may do; each role may do all that the one before it may."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


ROLES = list(Role)


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name!r} is not a time zone of the IANA database.")


class User(AbstractUser):
    """A person. Deactivated, never deleted: timelines and audit entries refer to them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # no "@": login accepts a username or an email, and one must not pass for the other
    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[RegexValidator(r"^[\w.+-]+\Z", "Use letters, digits and . + - _ only.")],
        error_messages={"unique": "A user with that username already exists."},
    )
    email = models.EmailField(unique=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])

    class Meta(AbstractUser.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("username"), name="user_username_any_case"),
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="user_role_known"
            ),
        ]

    @property
    def effective_role(self) -> Role:
        return Role.ADMIN if self.is_superuser else Role(self.role)

    @property
    def roles(self) -> list[str]:
        """The role and all it includes, lowest first: the `roles` claim."""
        return [role.value for role in ROLES[: ROLES.index(self.effective_role) + 1]]

    def has_role(self, role: Role) -> bool:
        return self.is_active and role.value in self.roles

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """The role admin may do in the Django admin whatever it offers."""
        return self.has_role(Role.ADMIN) or super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return self.has_role(Role.ADMIN) or super().has_module_perms(app_label)


class Scope(models.TextChoices):
    """What an API token may do: admin includes write, write includes read; intake is apart."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    INTAKE = "intake"


INCLUDED_IN = {
    Scope.READ: {Scope.READ, Scope.WRITE, Scope.ADMIN},
    Scope.WRITE: {Scope.WRITE, Scope.ADMIN},
    Scope.ADMIN: {Scope.ADMIN},
    Scope.INTAKE: {Scope.INTAKE},
}


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def find(self, plain: str) -> ApiToken | None:
        """The usable token with this plain text, else None."""
        token = self.select_related("owner").filter(token_hash=hash_token(plain)).first()
        return token if token is not None and token.is_usable else None


def hash_token(plain: str) -> str:
    """SHA-256 hex: a 32-byte random secret needs no slow hash."""
    return hashlib.sha256(plain.encode()).hexdigest()


class ApiToken(models.Model):
    """A machine's credential. Only its hash is kept; it may do no more than its owner."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="api_tokens"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(
        cls,
        *,
        name: str,
        scopes: Iterable[str],
        owner: User | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiToken, str]:
        """A new token and its plain text, which is not kept and cannot be shown again.

        Raises ValidationError for no or unknown scopes, and for a token without an owner that
        could do more than intake: reading and writing is always somebody's doing.
        """
        wanted = [scope.value for scope in Scope if scope in set(scopes)]
        unknown = sorted(set(scopes) - set(wanted))
        if unknown or not wanted:
            raise ValidationError({"scopes": f"Unknown scopes: {unknown}." if unknown else "None."})
        if owner is None and wanted != [Scope.INTAKE]:
            raise ValidationError({"owner": "Only a token for intake alone may have no owner."})
        plain = TOKEN_MARK + secrets.token_urlsafe(32)
        token = cls.objects.create(
            name=name,
            prefix=plain[:10],
            token_hash=hash_token(plain),
            scopes=wanted,
            owner=owner,
            expires_at=expires_at,
        )
        return token, plain

    @property
    def is_usable(self) -> bool:
        return (
            self.revoked_at is None
            and (self.expires_at is None or self.expires_at > timezone.now())
            and (self.owner is None or self.owner.is_active)
        )

    def allows(self, scope: str) -> bool:
        return any(held in INCLUDED_IN[Scope(scope)] for held in self.scopes)

    def note_use(self) -> None:
        """Remember the use, at most once a minute; two processes may both try."""
        now = timezone.now()
        if self.last_used_at is not None and self.last_used_at > now - USED_STEP:
            return
        stale = models.Q(last_used_at=None) | models.Q(last_used_at__lte=now - USED_STEP)
        ApiToken.objects.filter(stale, pk=self.pk).update(last_used_at=now)

    def revoke(self) -> bool:
        """Whether this call was the one that revoked it."""
        now = timezone.now()
        revoked = ApiToken.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now)
        self.refresh_from_db(fields=["revoked_at"])
        if revoked:
            record("api_token.revoked", self, {"revoked_at": None}, {"revoked_at": now})
        return bool(revoked)


class RefreshFamily(models.Model):
    """One login and all the tokens refreshed from it: revoked together.

    `password_mark` is the user's session hash at login: a new password ends the family, as it
    ends sessions. Kept until `expires_at`, the last refresh token's expiry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_families")
    password_mark = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, default="")

    class Meta:
        verbose_name_plural = "refresh families"

    def __str__(self) -> str:
        return f"login of {self.user_id} at {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_live(self) -> bool:
        return (
            self.revoked_at is None
            and self.user.is_active
            and secrets.compare_digest(self.password_mark, self.user.get_session_auth_hash())
        )

    def revoke(self, reason: str) -> None:
        live = RefreshFamily.objects.filter(pk=self.pk, revoked_at=None)
        if live.update(revoked_at=timezone.now(), reason=reason):
            # a token used twice may be a thief's: nobody can tell who asked
            known = None if reason == "reuse" else self.user
            record("login.ended", self.user, reason=reason, actor=known)


class MachineUser:
    """`request.user` of a token without an owner: authenticated, nobody in particular."""

    pk = id = None
    is_active = is_authenticated = True
    is_anonymous = is_staff = is_superuser = False
    email = ""

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.username = f"token:{token.name}"
        self.roles: list[str] = []

    def __str__(self) -> str:
        return self.username

    def has_role(self, role: Role) -> bool:
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False
