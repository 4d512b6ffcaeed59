"""Bodies of what is done to an incident through the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.moments import MomentField
from incidents.merges.serializers import IncidentField, ReasonSerializer
from incidents.models import Impact, Incident, Service, Severity, Status
from incidents.serializers import ServiceSlugField


class ImpactSerializer(serializers.Serializer[Any]):
    service = ServiceSlugField()
    impact = serializers.ChoiceField(Impact.choices)


class IncidentPatchSerializer(serializers.Serializer[Incident]):
    """PATCH body; `status` goes through the lifecycle and may be refused with 409.

    `services` are all that are affected, with their levels; `service_ids` the same by slug alone.
    Times are corrected with a `reason`.
    """

    title = serializers.CharField(max_length=300, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    service_ids = ServiceSlugField(many=True, required=False)
    services = ImpactSerializer(many=True, required=False)
    started_at = MomentField(required=False)
    detected_at = MomentField(required=False)
    acknowledged_at = MomentField(required=False)
    root_cause = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    resolution = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    status = serializers.ChoiceField(Status.choices, required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000)

    def validate_services(self, rows: list[dict[str, Any]]) -> dict[Service, str]:
        levels = {row["service"]: row["impact"] for row in rows}
        if len(levels) < len(rows):
            raise serializers.ValidationError("Name each service once.")
        return levels

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "services" in attrs and "service_ids" in attrs:
            raise serializers.ValidationError(
                {"service_ids": ["Give services or service_ids, not both."]}
            )
        if "service_ids" in attrs:
            attrs["services"] = attrs.pop("service_ids")
        return attrs


class TransitionSerializer(serializers.Serializer[Incident]):
    """Body of acknowledge, mitigate, resolve and reopen; all of it optional."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")
    root_cause = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    resolution = serializers.CharField(required=False, allow_blank=True, max_length=100_000)


class CloseSerializer(ReasonSerializer):
    """Body of close; the reason may be left out only where `duplicate_of` is given."""

    duplicate_of = IncidentField(
        required=False, allow_null=True, help_text="The incident it doubles: id or INC-number."
    )

    def get_fields(self) -> dict[str, Any]:
        return {"as": serializers.ChoiceField(Incident.ClosedAs.choices), **super().get_fields()}
