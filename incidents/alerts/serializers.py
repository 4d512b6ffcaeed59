"""Shapes of alerts, their sources and deliveries."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.models import Alert, AlertOccurrence, AlertSource, Delivery


class AlertSourceSerializer(serializers.ModelSerializer[AlertSource]):
    """`token_prefix` is null while the source has no valid token."""

    delivered_at = serializers.DateTimeField(read_only=True, allow_null=True)
    used_at = serializers.DateTimeField(read_only=True, allow_null=True)
    token_prefix = serializers.CharField(read_only=True, allow_null=True)
    ignored_labels = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=50
    )

    class Meta:
        model = AlertSource
        fields = [
            "id",
            "slug",
            "kind",
            "environment",
            "ignored_labels",
            "repeat_interval_seconds",
            "flap_changes",
            "flap_window_seconds",
            "delivered_at",
            "used_at",
            "token_prefix",
            "created_at",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A series is known by the labels that count: which those are is settled at the start."""
        kept = self.instance
        if attrs.get("kind") == AlertSource.Kind.INTERNAL:
            raise serializers.ValidationError({"kind": "Nothing delivers from outside as this."})
        if isinstance(kept, AlertSource) and attrs.get("slug", kept.slug) != kept.slug:
            raise serializers.ValidationError({"slug": "A source keeps its name."})
        return attrs


class IssuedSourceSerializer(AlertSourceSerializer):
    """With the plain text of the token, shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(AlertSourceSerializer.Meta):
        fields = [*AlertSourceSerializer.Meta.fields, "token"]


class RotateSerializer(serializers.Serializer[Any]):
    """How long the tokens so far stay valid beside the new one."""

    keep_seconds = serializers.FloatField(min_value=0, max_value=30 * 86400, default=0.0)


class OccurrenceSerializer(serializers.ModelSerializer[AlertOccurrence]):
    incident = serializers.CharField(source="incident.reference", read_only=True, allow_null=True)
    service = serializers.CharField(source="service.slug", read_only=True, allow_null=True)

    class Meta:
        model = AlertOccurrence
        fields = [
            "id",
            "started_at",
            "claimed_started_at",
            "resolved_at",
            "ended_by",
            "incident",
            "service",
            "stale_since",
            "suppressed_since",
            "suppressed_by",
            "maintenance",
        ]


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """A series and its newest occurrence."""

    source = serializers.CharField(source="source.slug", read_only=True)  # type: ignore[assignment]
    occurrence = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = [
            "id",
            "source",
            "name",
            "labels",
            "annotations",
            "generator_url",
            "firing",
            "first_seen_at",
            "last_seen_at",
            "received_count",
            "flapping_since",
            "occurrence",
        ]

    def get_occurrence(self, alert: Alert) -> dict[str, Any] | None:
        newest: AlertOccurrence | None = getattr(alert, "newest", None)
        return dict(OccurrenceSerializer(newest).data) if newest is not None else None


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    source = serializers.CharField(source="source.slug", read_only=True)  # type: ignore[assignment]

    class Meta:
        model = Delivery
        fields = [
            "id",
            "source",
            "kind",
            "received_at",
            "state",
            "alert_count",
            "attempt",
            "error",
            "refused",
        ]


class WholeDeliverySerializer(DeliverySerializer):
    """With the body as it came."""

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "body"]
