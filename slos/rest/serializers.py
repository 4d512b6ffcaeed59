"""Shapes of SLOs, their history and their corrections in the API."""

from __future__ import annotations

import time
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.moments import MomentField
from slos.burn import seconds_to_exhaustion
from slos.keeping import Kept
from slos.models import SLO, SLOCorrection, SLOSnapshot
from slos.past import MOST_POINTS
from slos.rest import shapes
from slos.stored import is_number, is_storable, period


@extend_schema_field(shapes.INDICATOR)
class IndicatorField(serializers.JSONField):
    """Its kind says which other parts there are (slos.stored)."""


@extend_schema_field(shapes.POLICIES)
class PoliciesField(serializers.JSONField):
    """Severity, windows in seconds, factor."""


@extend_schema_field(shapes.LABELS)
class LabelsField(serializers.DictField):
    child = serializers.CharField(max_length=1000, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        if not all(is_storable(text) for pair in given.items() for text in pair):
            raise serializers.ValidationError("These characters cannot be kept.")
        return given


class SLOWriteSerializer(serializers.Serializer[Any]):
    """An SLO as it is given; whoever changes one gives only what changes."""

    name = serializers.CharField(max_length=63, help_text="It cannot be changed.")
    display_name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    description = serializers.CharField(max_length=1050, allow_blank=True, required=False)
    service = serializers.CharField(max_length=100, help_text="Its slug.")
    environment = serializers.CharField(
        max_length=63, required=False, help_text="Of namesakes; production unless given."
    )
    data_source = serializers.CharField(
        max_length=63,
        required=False,
        allow_blank=True,
        help_text="Slug; empty: the Prometheus asked by default in the environment.",
    )
    indicator = IndicatorField()
    target = serializers.FloatField(help_text="The share of events that must be good: 0.999.")
    period = serializers.CharField(max_length=8, required=False, help_text="28d, or 1M.")
    rolling = serializers.BooleanField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    anchor = serializers.CharField(max_length=19, required=False, allow_blank=True)
    least_events = serializers.FloatField(min_value=0, required=False)
    policies = PoliciesField(
        required=False, help_text="The SRE workbook's, scaled to the period, unless given."
    )
    labels = LabelsField(required=False)
    enabled = serializers.BooleanField(required=False)
    accept_no_data = serializers.BooleanField(
        default=False, help_text="Save it although its queries find no data yet."
    )


class SLOSerializer(serializers.ModelSerializer[SLO]):
    """An SLO and how it stands."""

    service = serializers.CharField(source="service.slug", read_only=True)
    environment = serializers.CharField(source="service.environment", read_only=True)
    data_source = serializers.SerializerMethodField()
    indicator = IndicatorField(read_only=True)
    policies = PoliciesField(read_only=True)
    labels = LabelsField(read_only=True)
    judgements = serializers.SerializerMethodField(help_text="Whether each policy fires.")
    burn_rates = serializers.SerializerMethodField(help_text="By window.")
    period_seconds = serializers.SerializerMethodField(help_text="Of the current period.")
    exhausted_in_seconds = serializers.SerializerMethodField(
        help_text="At the burn rate of the last hour; null: never, or unknown."
    )
    created_by = serializers.SerializerMethodField()
    url = serializers.CharField(source="get_absolute_url", read_only=True)
    status = serializers.ChoiceField(choices=shapes.STATUSES, read_only=True)
    quality = serializers.ChoiceField(choices=shapes.QUALITIES, read_only=True)

    class Meta:
        model = SLO
        fields = [
            "id",
            "name",
            "display_name",
            "description",
            "url",
            "service",
            "environment",
            "data_source",
            "indicator",
            "target",
            "period",
            "rolling",
            "time_zone",
            "anchor",
            "period_seconds",
            "least_events",
            "policies",
            "labels",
            "enabled",
            "status",
            "status_since",
            "quality",
            "sli",
            "budget_remaining",
            "burn_rates",
            "judgements",
            "exhausted_in_seconds",
            "covered_seconds",
            "evaluated_at",
            "error",
            "failed_at",
            "created_by",
            "created_at",
            "updated_at",
            "version",
        ]
        read_only_fields = fields

    def get_data_source(self, row: SLO) -> str:
        """Its slug, empty for the default."""
        return row.data_source.slug if row.data_source is not None else ""

    @extend_schema_field(shapes.JUDGEMENTS)
    def get_judgements(self, row: SLO) -> Any:
        return row.judgements

    @extend_schema_field(shapes.BURN_RATES)
    def get_burn_rates(self, row: SLO) -> Any:
        return row.burn_rates

    def get_period_seconds(self, row: SLO) -> float | None:
        return _period_seconds(row)

    def get_exhausted_in_seconds(self, row: SLO) -> float | None:
        seconds = _period_seconds(row)
        if seconds is None or row.is_undecided:
            return None
        return seconds_to_exhaustion(row.budget_remaining, row.burn_rates.get("1h"), seconds)

    def get_created_by(self, row: SLO) -> str | None:
        return row.created_by.username if row.created_by is not None else None


def _period_seconds(row: SLO) -> float | None:
    try:
        span = period(row.period, row.rolling, row.time_zone, row.anchor)
    except ValueError:
        return None  # its `error` says so
    return span.seconds(time.time())


class SLOSavedSerializer(SLOSerializer):
    """An SLO that was just saved."""

    warnings = serializers.ListField(child=serializers.CharField(), default=list)

    class Meta(SLOSerializer.Meta):
        fields = [*SLOSerializer.Meta.fields, "warnings"]
        read_only_fields = fields


def saved(kept: Kept) -> dict[str, Any]:
    """As SLOSavedSerializer describes it."""
    return {**SLOSerializer(kept.slo).data, "warnings": list(kept.warnings)}


class SLOPointSerializer(serializers.ModelSerializer[SLOSnapshot]):
    """How it stood at a moment; numbers are null where there was none to say."""

    burn_rates = serializers.SerializerMethodField()

    class Meta:
        model = SLOSnapshot
        fields = ["at", "status", "quality", "sli", "budget_remaining", "burn_rates", "error"]
        read_only_fields = fields

    @extend_schema_field(shapes.BURN_RATES)
    def get_burn_rates(self, row: SLOSnapshot) -> Any:
        return row.burn_rates


class SLOHistoryQuerySerializer(serializers.Serializer[Any]):
    """The last day, unless given; `from` is excluded, `to` included."""

    to = MomentField(required=False)
    step = serializers.FloatField(
        required=False,
        min_value=60,
        help_text=f"Seconds; about 500 points unless given, at most {MOST_POINTS}.",
    )

    def validate_step(self, given: float) -> float:
        if not is_number(given):
            raise serializers.ValidationError("A number of seconds.")
        return given

    def get_fields(self) -> dict[str, Any]:
        return {"from": MomentField(required=False), **super().get_fields()}


class SLOCorrectionSerializer(serializers.ModelSerializer[SLOCorrection]):
    starts_at = MomentField()
    ends_at = MomentField()
    author = serializers.SerializerMethodField()
    withdrawn_by = serializers.SerializerMethodField()

    class Meta:
        model = SLOCorrection
        fields = [
            "id",
            "starts_at",
            "ends_at",
            "reason",
            "author",
            "created_at",
            "withdrawn_at",
            "withdrawn_by",
            "withdrawn_reason",
        ]
        read_only_fields = ["id", "created_at", "withdrawn_at", "withdrawn_reason"]

    def get_author(self, row: SLOCorrection) -> str | None:
        return row.author.username if row.author is not None else None

    def get_withdrawn_by(self, row: SLOCorrection) -> str | None:
        return row.withdrawn_by.username if row.withdrawn_by is not None else None


class SLOWithdrawalSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=10_000)
