"""REST API of an incident's analyses: every run, newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from rest_framework import generics, serializers

from correlation.memory.snapshots import why_not
from correlation.models import Analysis, EvidenceSnapshot
from correlation.runs import listed, snapshot_of
from correlation.serializers import AnalysisSerializer
from incidents.api import incident_of


class SnapshotSerializer(serializers.ModelSerializer[EvidenceSnapshot]):
    """`reason` says why it is not replayable; `expires_at` is null where nothing can expire."""

    replayable = serializers.BooleanField(source="is_replayable", read_only=True)
    reason = serializers.SerializerMethodField()
    expires_at = serializers.SerializerMethodField()

    class Meta:
        model = EvidenceSnapshot
        fields = [
            "state",
            "replayable",
            "reason",
            "size_bytes",
            "left_out",
            "stored_at",
            "expires_at",
            "ranking_digest",
            "rules_digest",
            "calibration_version",
            "engine",
        ]

    def get_reason(self, snapshot: EvidenceSnapshot) -> str:
        return why_not(snapshot)

    def get_expires_at(self, snapshot: EvidenceSnapshot) -> str | None:
        if not snapshot.is_replayable:
            return None
        at = snapshot.stored_at + timedelta(days=settings.EVIDENCE_SNAPSHOT_DAYS)
        return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


class RunSerializer(AnalysisSerializer):
    """An analysis with who asked for it, its first cause and what is kept of it."""

    requested_by = serializers.SerializerMethodField()
    first_cause = serializers.SerializerMethodField()
    snapshot = serializers.SerializerMethodField()

    class Meta(AnalysisSerializer.Meta):
        fields = [*AnalysisSerializer.Meta.fields, "requested_by", "first_cause", "snapshot"]

    def get_requested_by(self, run: Analysis) -> str | None:
        return run.requested_by.username if run.requested_by else None

    def get_first_cause(self, run: Analysis) -> dict[str, Any] | None:
        for cause in getattr(run, "first_causes", ()):
            return {
                "id": str(cause.pk),
                "service": cause.service,
                "kind": cause.kind,
                "title": cause.title,
                "confidence": cause.confidence,
                "verdict": cause.verdict or None,
            }
        return None

    def get_snapshot(self, run: Analysis) -> dict[str, Any] | None:
        snapshot = snapshot_of(run)
        return dict(SnapshotSerializer(snapshot).data) if snapshot else None


class RunsView(generics.ListAPIView[Analysis]):
    """Every analysis of the incident, newest first; `correlations?analysis=` shows one."""

    serializer_class = RunSerializer
    paging_order = ("-queued_at", "-id")
    queryset = Analysis.objects.none()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Analysis.objects.none()
        return listed(incident_of(self.kwargs["reference"]).analyses.all())
