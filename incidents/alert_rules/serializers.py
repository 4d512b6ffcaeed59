"""Shapes of the API of grouping rules and of the maps (docs/api.md)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db.models import Model
from rest_framework import serializers

from accounts.named import NamedField
from incidents.alert_rules.trial import Trial
from incidents.models import AlertReading, AlertSource, GroupingRule

LONGEST_VALUE = 10_000
MOST_LABELS = 200


class CheckedSerializer(serializers.ModelSerializer[Any]):
    """Asks the model whether its columns go together."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: Any = self.Meta.model
        columns = {name: value for name, value in attrs.items() if name != "sources"}
        kept = {
            field.name: getattr(self.instance, field.name)
            for field in model._meta.concrete_fields
            if isinstance(self.instance, Model)
        }
        candidate = model(**{**kept, **columns})
        try:
            candidate.clean()
        except ModelError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return attrs


class GroupingRuleSerializer(CheckedSerializer):
    matchers = serializers.ListField(
        child=serializers.CharField(max_length=600),
        required=False,
        help_text='Such as ["team=payments", "severity=~crit.*"]; none: every alert.',
    )
    group_by = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        help_text='Labels, and "@service"; none: one incident for all that the rule fits.',
    )
    sources = NamedField(
        slug_field="slug", queryset=AlertSource.objects.all(), many=True, required=False
    )

    class Meta:
        model = GroupingRule
        fields = [
            "id",
            "name",
            "description",
            "enabled",
            "priority",
            "matchers",
            "sources",
            "environment",
            "group_by",
            "window",
            "window_seconds",
            "resolve_delay_seconds",
            "reopen_window_seconds",
            "minimum_alerts",
            "join_neighbours",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "version", "created_at", "updated_at"]


class AlertReadingSerializer(CheckedSerializer):
    scope = serializers.CharField(
        read_only=True, help_text="Slug of a source; empty: the installation."
    )
    service_steps = serializers.ListField(
        child=serializers.CharField(max_length=600), required=False
    )
    service_names = serializers.DictField(child=serializers.CharField(), required=False)
    severity_labels = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False
    )
    severity_values = serializers.DictField(child=serializers.CharField(), required=False)

    class Meta:
        model = AlertReading
        fields = [
            "scope",
            "service_steps",
            "service_names",
            "severity_labels",
            "severity_values",
            "severity_default",
            "version",
            "updated_at",
        ]
        read_only_fields = ["version", "updated_at"]


class AlertTrialRequestSerializer(serializers.Serializer[Any]):
    """An alert to try, as a sender would deliver it."""

    labels = serializers.DictField(child=serializers.CharField(max_length=LONGEST_VALUE))
    annotations = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_VALUE), required=False, default=dict
    )
    source = serializers.SlugField(  # type: ignore[assignment]  # the body's field, not DRF's
        max_length=63, default="alertmanager"
    )
    status = serializers.ChoiceField(choices=["firing", "resolved"], default="firing")

    def validate_labels(self, given: dict[str, str]) -> dict[str, str]:
        if len(given) > MOST_LABELS:
            raise serializers.ValidationError(f"At most {MOST_LABELS} labels.")
        return given


class AlertTrialRuleSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Null: the default rule.")
    name = serializers.CharField()


class AlertTrialTriedSerializer(serializers.Serializer[Any]):
    rule = AlertTrialRuleSerializer()
    fits = serializers.BooleanField()


class AlertTrialServiceSerializer(serializers.Serializer[Any]):
    named = serializers.CharField(allow_null=True)
    slug = serializers.CharField(allow_null=True, help_text="Null: not in the catalogue.")
    missing = serializers.CharField()


class AlertTrialSeveritySerializer(serializers.Serializer[Any]):
    severity = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    value = serializers.CharField()
    why = serializers.CharField(help_text="Empty where the map knows the value.")


class AlertTrialOutcomeSerializer(serializers.Serializer[Any]):
    how = serializers.ChoiceField(
        choices=[
            "key",
            "merged",
            "reopened",
            "waits",
            "similar",
            "neighbour",
            "opened",
            "held",
            "nothing",
        ]
    )
    why = serializers.CharField()
    incident = serializers.CharField(allow_null=True, help_text="Its reference, such as INC-12.")


class AlertTrialSerializer(serializers.Serializer[Any]):
    """What would happen to the alert; nothing was written."""

    rule = AlertTrialRuleSerializer()
    tried = AlertTrialTriedSerializer(many=True)
    screened = serializers.CharField(
        help_text="What goes before any rule: a heartbeat or maintenance; empty for nothing."
    )
    key = serializers.CharField()
    values = serializers.DictField(child=serializers.CharField())
    environment = serializers.CharField()
    title = serializers.CharField()
    service = AlertTrialServiceSerializer()
    severity = AlertTrialSeveritySerializer()
    outcome = AlertTrialOutcomeSerializer()

    def to_representation(self, instance: Trial) -> dict[str, Any]:
        found, outcome = instance.found, instance.outcome
        return super().to_representation(
            {
                "rule": found.placement.rule,
                "tried": instance.tried,
                "screened": instance.screened,
                "key": found.placement.key,
                "values": found.placement.values,
                "environment": found.subject.environment,
                "title": instance.title,
                "service": {
                    "named": found.named,
                    "slug": found.service.slug if found.service else None,
                    "missing": found.missing,
                },
                "severity": found.severe,
                "outcome": {
                    "how": outcome.how,
                    "why": outcome.why,
                    "incident": outcome.incident.reference if outcome.incident else None,
                },
            }
        )
