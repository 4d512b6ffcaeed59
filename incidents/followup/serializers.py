"""Shapes of tasks in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.merges.serializers import IncidentField
from incidents.models import IncidentTask
from incidents.people.serializers import UsernameField


class TaskSerializer(serializers.ModelSerializer[IncidentTask]):
    incident = IncidentField(read_only=True)
    owner = UsernameField(required=False, allow_null=True)
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)

    class Meta:
        model = IncidentTask
        fields = [
            "id",
            "incident",
            "title",
            "description",
            "state",
            "owner",
            "due_at",
            "done_at",
            "created_by",
            "created_at",
            "updated_at",
            "version",
        ]
        read_only_fields = ["done_at", "version", "created_at", "updated_at"]

    def get_extra_kwargs(self) -> dict[str, Any]:
        return {**super().get_extra_kwargs(), "description": {"max_length": 100_000}}
