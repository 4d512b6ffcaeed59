"""Shapes of the API of notifications (docs/api.md)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db.models import Model
from rest_framework import serializers

from accounts.moments import MomentField
from incidents.models import (
    NotificationAttempt,
    NotificationChannel,
    NotificationDelivery,
    NotificationRule,
    Service,
    Severity,
)
from incidents.models.notification_rule import DAYS
from incidents.notify.events import EVENT_CHOICES
from incidents.notify.trial import Trial
from incidents.outbound.posting import forbidden_reason


class _CheckedSerializer(serializers.ModelSerializer[Any]):
    """Asks the model whether its columns go together."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: Any = self.Meta.model
        many = {field.name for field in model._meta.many_to_many}
        kept = {
            field.name: getattr(self.instance, field.name)
            for field in model._meta.concrete_fields
            if isinstance(self.instance, Model)
        }
        columns = {name: value for name, value in attrs.items() if name not in many}
        try:
            model(**{**kept, **columns}).clean()
        except ModelError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return attrs


class ChannelSerializer(_CheckedSerializer):
    """Secrets are named by a variable or a file; they are not in any answer."""

    name = serializers.CharField(max_length=100)
    recipients = serializers.ListField(child=serializers.CharField(max_length=254), required=False)
    state = serializers.ChoiceField(
        choices=["removed", "disabled", "unused", "ok", "failing"], read_only=True
    )

    class Meta:
        model = NotificationChannel
        fields = [
            "id",
            "name",
            "kind",
            "enabled",
            "url",
            "url_variable",
            "url_file",
            "secret_variable",
            "secret_file",
            "recipients",
            "verify_tls",
            "ca_file",
            "timeout_seconds",
            "bundle_above",
            "bundle_seconds",
            "state",
            "failures",
            "paused_until",
            "last_success_at",
            "last_error_at",
            "last_error",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "id",
            "failures",
            "paused_until",
            "last_success_at",
            "last_error_at",
            "last_error",
            "version",
            "created_at",
            "updated_at",
        ]

    def validate_url(self, url: str) -> str:
        if why := forbidden_reason(url) if url else "":
            raise serializers.ValidationError(why)
        return url


class NotificationRuleSerializer(_CheckedSerializer):
    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENT_CHOICES))
    quiet_days = serializers.ListField(
        child=serializers.ChoiceField(choices=[(day, day) for day in DAYS]), required=False
    )
    services = serializers.PrimaryKeyRelatedField(
        queryset=Service.objects.all(), many=True, required=False
    )
    channels = serializers.PrimaryKeyRelatedField(
        queryset=NotificationChannel.objects.kept(), many=True
    )

    class Meta:
        model = NotificationRule
        fields = [
            "id",
            "name",
            "description",
            "enabled",
            "events",
            "services",
            "severity_at_least",
            "environment",
            "channels",
            "quiet_from",
            "quiet_until",
            "quiet_days",
            "time_zone",
            "quietly",
            "critical_breaks_through",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "version", "created_at", "updated_at"]


class AttemptSerializer(serializers.ModelSerializer[NotificationAttempt]):
    outcome = serializers.ChoiceField(
        choices=NotificationAttempt.Outcome.choices, allow_blank=True, help_text="Empty: running."
    )

    class Meta:
        model = NotificationAttempt
        fields = ["number", "at", "seconds", "outcome", "status_code", "said"]


class NotificationDeliverySerializer(serializers.ModelSerializer[NotificationDelivery]):
    """One change of an incident for one channel; `key` is what every attempt carries."""

    channel = serializers.CharField(source="channel.name", read_only=True)
    incident = serializers.CharField(source="reference", read_only=True)
    bundle = serializers.UUIDField(
        source="bundle.key", read_only=True, allow_null=True, help_text="The row it goes with."
    )
    rules = serializers.ListField(child=serializers.CharField(), read_only=True)
    facts = serializers.DictField(read_only=True)

    class Meta:
        model = NotificationDelivery
        fields = [
            "key",
            "channel",
            "incident",
            "event",
            "rules",
            "state",
            "created_at",
            "due_at",
            "finished_at",
            "attempts",
            "status_code",
            "error",
            "bundle",
            "facts",
        ]
        read_only_fields = fields


class WholeNotificationDeliverySerializer(NotificationDeliverySerializer):
    tries = AttemptSerializer(many=True, read_only=True)

    class Meta(NotificationDeliverySerializer.Meta):
        fields = [*NotificationDeliverySerializer.Meta.fields, "tries"]
        read_only_fields = fields


class ChannelTestSerializer(serializers.Serializer[Any]):
    """How a test message went."""

    outcome = serializers.ChoiceField(choices=["sent", "failed", "refused"])
    said = serializers.CharField(help_text="The receiver's answer, or what went wrong.")
    status_code = serializers.IntegerField(allow_null=True)
    seconds = serializers.FloatField()


class NotificationTrialRequestSerializer(serializers.Serializer[Any]):
    """A change to try on the rules."""

    event = serializers.ChoiceField(choices=EVENT_CHOICES)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.HIGH)
    environment = serializers.CharField(max_length=63, default="production")
    service = serializers.PrimaryKeyRelatedField(
        queryset=Service.objects.all(), required=False, allow_null=True, default=None
    )
    at = MomentField(required=False, help_text="Now, unless given.")


class NotificationTrialToldSerializer(serializers.Serializer[Any]):
    channel = serializers.CharField()
    due_at = serializers.DateTimeField()
    rules = serializers.ListField(child=serializers.CharField())


class NotificationTrialJudgedSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["told", "held", "dropped", "no"])
    why = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class NotificationTrialSerializer(serializers.Serializer[Any]):
    """What would be told; nothing was sent or written."""

    told = NotificationTrialToldSerializer(many=True)
    rules = NotificationTrialJudgedSerializer(many=True)

    def to_representation(self, instance: Trial) -> dict[str, Any]:
        told = [
            {"channel": channel.name, "due_at": due_at, "rules": rules}
            for channel, due_at, rules in instance.told
        ]
        return super().to_representation({"told": told, "rules": instance.rules})
