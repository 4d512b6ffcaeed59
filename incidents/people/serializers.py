"""Shapes of roles in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import User
from accounts.named import NamedField
from incidents.models import IncidentRole


class UsernameField(NamedField[User]):
    """A person by username; an unknown one is an error that names it."""

    default_error_messages = {"does_not_exist": "There is no active user {value!r}."}

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", User.objects.filter(is_active=True))
        super().__init__(slug_field="username", **kwargs)


class HeldRoleSerializer(serializers.ModelSerializer[IncidentRole]):
    """A role somebody holds now, as an incident shows it."""

    user = UsernameField(read_only=True)

    class Meta:
        model = IncidentRole
        fields = ["id", "role", "user", "assigned_at"]
        read_only_fields = fields


class RoleSerializer(serializers.ModelSerializer[IncidentRole]):
    user = UsernameField()
    assigned_by = serializers.CharField(source="assigned_by.username", default=None, read_only=True)
    ended_by = serializers.CharField(source="ended_by.username", default=None, read_only=True)

    class Meta:
        model = IncidentRole
        fields = ["id", "role", "user", "assigned_at", "assigned_by", "ended_at", "ended_by"]
        read_only_fields = ["assigned_at", "ended_at"]
        validators: ClassVar[list[Any]] = []  # holding the same role again is no error
