"""Shapes of the correlations answer (DESIGN.md section 5; docs/api.md)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from correlation.memory.verdict_api import VerdictSerializer
from correlation.models import Analysis, Correlation, RootCause
from correlation.plots.evidence_subject import plot_path


class AnalysisSerializer(serializers.ModelSerializer[Analysis]):
    class Meta:
        model = Analysis
        fields = [
            "id",
            "status",
            "reason",
            "attempt",
            "queued_at",
            "started_at",
            "finished_at",
            "error",
            "sources",
            "missing",
            "rules_skipped",
            "checks",
            "sureness",
            "superseded_by",
        ]


class CorrelationSerializer(serializers.ModelSerializer[Correlation]):
    plot = serializers.SerializerMethodField(help_text="Path of its plot; null without one.")

    class Meta:
        model = Correlation
        fields = [
            "id",
            "type",
            "source",
            "service",
            "peer",
            "signal",
            "title",
            "unit",
            "direction",
            "confidence_score",
            "onset_at",
            "baseline",
            "value",
            "query",
            "links",
            "plot",
            "details",
        ]

    def get_plot(self, correlation: Correlation) -> str | None:
        return plot_path(correlation, self.context["incident"])


class RootCauseSerializer(serializers.ModelSerializer[RootCause]):
    band = serializers.CharField(read_only=True)
    change = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField()
    review = serializers.SerializerMethodField()

    class Meta:
        model = RootCause
        fields = [
            "id",
            "rank",
            "service",
            "kind",
            "rule",
            "title",
            "explanation",
            "reasoning",
            "confidence",
            "band",
            "change",
            "supporting",
            "contradicting",
            "verdict",
            "review",
        ]

    def get_change(self, cause: RootCause) -> str | None:
        return cause.change or None

    def get_verdict(self, cause: RootCause) -> str | None:
        return cause.verdict or None

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_review(self, cause: RootCause) -> dict[str, Any] | None:
        """The verdict that holds; only where `verdicts.judged` has put it."""
        row = getattr(cause, "review", None)
        return dict(VerdictSerializer(row).data) if row else None


class CorrelationsSerializer(serializers.Serializer[Any]):
    """`analysis` is the newest run (or the one asked for); the rows are of the latest finished."""

    analysis = AnalysisSerializer(allow_null=True)
    shown = serializers.UUIDField(allow_null=True, help_text="The run the rows belong to.")
    root_causes = RootCauseSerializer(many=True)
    correlations = CorrelationSerializer(many=True)
