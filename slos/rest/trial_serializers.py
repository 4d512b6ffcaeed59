"""Shapes of a check and of an import."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from slos.openslo.tree import MAX_BYTES
from slos.rest.shapes import QUALITIES


class SLOTrialPolicySerializer(serializers.Serializer[Any]):
    severity = serializers.CharField()
    long_window = serializers.CharField()
    short_window = serializers.CharField()
    factor = serializers.FloatField()
    never_fires = serializers.BooleanField(help_text="Not even if every event were bad.")
    budget_spent = serializers.FloatField(
        help_text="Share of the budget that is gone when it fires."
    )
    exceeded = serializers.BooleanField(
        allow_null=True, help_text="Whether the last hour burned faster."
    )


class SLOTrialSerializer(serializers.Serializer[Any]):
    """What an SLO counted in the last hour; numbers are null where none is known."""

    ok = serializers.BooleanField(help_text="It can be saved as it is.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the body's, not DRF's
        child=serializers.CharField(), help_text="By field: what keeps it from being saved."
    )
    no_data = serializers.DictField(
        child=serializers.CharField(), help_text="By field: saved with accept_no_data only."
    )
    warnings = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField(  # type: ignore[assignment]  # likewise
        help_text="Slug of the data source that was asked; empty for none."
    )
    window_seconds = serializers.FloatField()
    quality = serializers.ChoiceField(choices=QUALITIES)
    good = serializers.FloatField(allow_null=True)
    total = serializers.FloatField(allow_null=True)
    sli = serializers.FloatField(allow_null=True)
    burn_rate = serializers.FloatField(allow_null=True)
    budget_burned = serializers.FloatField(
        allow_null=True, help_text="Share of a period's budget that such an hour spends."
    )
    budget_lasts_seconds = serializers.FloatField(
        allow_null=True, help_text="How long a whole budget lasts at this rate; null: for ever."
    )
    policies = SLOTrialPolicySerializer(many=True)


class SLOImportSerializer(serializers.Serializer[Any]):
    openslo = serializers.CharField(
        max_length=MAX_BYTES, trim_whitespace=False, help_text="The YAML."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Check it and write nothing.")
    accept_no_data = serializers.BooleanField(default=False)


class SLOImportedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    act = serializers.ChoiceField(choices=["create", "change", "keep"])
    line = serializers.IntegerField()
    changed = serializers.ListField(child=serializers.CharField(), help_text="Its fields.")
    warnings = serializers.ListField(child=serializers.CharField())
