"""Shapes of the rules API (docs/api.md)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from correlation.models import RuleChange
from correlation.rules.shelf import Shelved
from correlation.rules.trials import DEFAULT_INCIDENTS, MOST_INCIDENTS
from correlation.rules.vocabulary import MOST_PRIORITY

DEFINITION = "Kind, title, advice, conditions, boost or cap: docs/rules.md."


class RuleSerializer(serializers.Serializer[Shelved]):
    """A rule as it stands, shipped or stored."""

    name = serializers.CharField()
    origin = serializers.ChoiceField(choices=["shipped", "override", "user"])
    enabled = serializers.BooleanField()
    priority = serializers.IntegerField()
    kind = serializers.SerializerMethodField()
    title = serializers.SerializerMethodField()
    definition = serializers.JSONField(help_text=DEFINITION)
    problem = serializers.CharField(help_text="Why analyses leave it out; empty when they do not.")
    version = serializers.IntegerField(help_text="The ETag; 0 for a rule nobody has touched.")
    updated_at = serializers.SerializerMethodField()
    updated_by = serializers.SerializerMethodField()

    def get_kind(self, one: Shelved) -> str:
        return one.kind

    def get_title(self, one: Shelved) -> str:
        return one.title

    def get_updated_at(self, one: Shelved) -> str | None:
        field = serializers.DateTimeField()
        return field.to_representation(one.row.updated_at) if one.row else None

    def get_updated_by(self, one: Shelved) -> str | None:
        return one.row.updated_by.username if one.row and one.row.updated_by else None


class RuleEditSerializer(serializers.Serializer[Any]):
    """What of a rule can be changed."""

    enabled = serializers.BooleanField(required=False)
    priority = serializers.IntegerField(required=False, min_value=1, max_value=MOST_PRIORITY)
    definition = serializers.JSONField(
        required=False,
        allow_null=True,
        help_text=f"{DEFINITION} Null leaves a shipped rule as it is shipped.",
    )


class RuleWriteSerializer(RuleEditSerializer):
    """A new rule. The name of a shipped one puts it in its place."""

    name = serializers.SlugField(max_length=63)
    definition = serializers.JSONField(help_text=DEFINITION)


class DryRunRequestSerializer(RuleEditSerializer):
    """What to try: the rule of that name with these fields, or as it would be new."""

    name = serializers.SlugField(max_length=63)
    limit = serializers.IntegerField(
        default=DEFAULT_INCIDENTS, min_value=1, max_value=MOST_INCIDENTS
    )


class AnswerSerializer(serializers.Serializer[Any]):
    """The first cause; empty texts where there was none."""

    service = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    rule = serializers.CharField()
    confidence = serializers.FloatField()
    inconclusive = serializers.BooleanField()


class TrialSerializer(serializers.Serializer[Any]):
    incident = serializers.CharField(source="analysis.incident.reference")
    title = serializers.CharField(source="analysis.incident.title")
    analysis = serializers.UUIDField(source="analysis.pk")
    changed = serializers.BooleanField(help_text="Any cause, not only the first.")
    changed_ranks_below = serializers.ListField(source="below", child=serializers.IntegerField())
    before = AnswerSerializer()
    after = AnswerSerializer()


class TrialsSerializer(serializers.Serializer[Any]):
    """`not_replayable` incidents have no stored telemetry; `left_out` came too late to be tried."""

    tried = serializers.IntegerField()
    changed = serializers.IntegerField(source="changed_count")
    not_replayable = serializers.IntegerField()
    left_out = serializers.IntegerField()
    results = TrialSerializer(source="trials", many=True)


class RuleChangeSerializer(serializers.ModelSerializer[RuleChange]):
    actor = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = RuleChange
        fields = ["action", "at", "actor", "before", "after"]
