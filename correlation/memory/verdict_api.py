"""REST API of verdicts: read what was said of an incident's causes, and say it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.problems import Problem
from correlation.memory import verdicts
from correlation.models import CauseVerdict, RootCause
from incidents.api import actor_of, incident_of


class VerdictSerializer(serializers.ModelSerializer[CauseVerdict]):
    by = serializers.SerializerMethodField()

    class Meta:
        model = CauseVerdict
        fields = [
            "id",
            "cause",
            "service",
            "kind",
            "title",
            "verdict",
            "reason",
            "by",
            "at",
            "after_sealing",
        ]

    def get_by(self, row: CauseVerdict) -> str | None:
        return row.by.username if row.by else None


class VerdictWriteSerializer(serializers.Serializer[Any]):
    """`cause`, or `service` (and `kind`) for one that was not ranked."""

    cause = serializers.UUIDField(required=False)
    service = serializers.CharField(required=False, max_length=100)
    kind = serializers.RegexField(r"^[a-z0-9_]*$", required=False, max_length=64)
    verdict = serializers.ChoiceField(choices=CauseVerdict.Verdict.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if "cause" in given and ("service" in given or "kind" in given):
            raise ValidationError({"cause": ["Give a cause, or a service and a kind."]})
        if "cause" not in given and "service" not in given:
            raise ValidationError({"cause": ["Give the id of a cause, or a service."]})
        return given


class VerdictsView(generics.ListCreateAPIView[CauseVerdict]):
    """Every verdict on the incident's causes, newest first; POST adds one."""

    serializer_class = VerdictSerializer
    paging_order = ("-at", "-id")
    queryset = CauseVerdict.objects.none()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return CauseVerdict.objects.none()
        return incident_of(self.kwargs["reference"]).verdicts.select_related("by")

    @extend_schema(request=VerdictWriteSerializer, responses={201: VerdictSerializer})
    def create(self, request: Request, reference: str) -> Response:
        incident = incident_of(reference)
        body = VerdictWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        if (pk := given.pop("cause", None)) is not None:
            causes = RootCause.objects.select_related("analysis")
            given["cause"] = get_object_or_404(causes, pk=pk, analysis__incident=incident)
        try:
            made = verdicts.give(incident_id=incident.pk, actor=actor_of(request), **given)
        except verdicts.VerdictRefused as refusal:
            raise Problem(409, "verdict-refused", str(refusal)) from refusal
        return Response(VerdictSerializer(made).data, status=201)
