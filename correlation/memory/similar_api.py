"""REST API of earlier incidents like one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from correlation.memory.similar_incidents import SHOWN, Similar, similar
from incidents.api import incident_of

MOST = 20


class SharedPartSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    share = serializers.FloatField(help_text="Of the score: the shares add up to it.")


class SimilarSerializer(serializers.Serializer[Any]):
    """An earlier incident with its end; `root_cause_by` is confirmed, recorded, ranked or ""."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    url = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField()
    environment = serializers.CharField()
    started_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    score = serializers.FloatField()
    shared = SharedPartSerializer(many=True)
    root_cause = serializers.CharField()
    root_cause_by = serializers.CharField()
    resolution = serializers.CharField()


class SimilarView(APIView):
    """Earlier incidents that left similar evidence, most alike first."""

    @extend_schema(
        parameters=[OpenApiParameter("limit", int, description=f"1 to {MOST}, or {SHOWN}.")],
        responses=SimilarSerializer(many=True),
    )
    def get(self, request: Request, reference: str) -> Response:
        found = similar(incident_of(reference), _limit(request.query_params.get("limit")))
        return Response(SimilarSerializer([_shape(one) for one in found], many=True).data)


def _limit(raw: str | None) -> int:
    if raw is None:
        return SHOWN
    if not (raw.isascii() and raw.isdecimal() and 1 <= int(raw[:9]) <= MOST):
        raise ValidationError({"limit": [f"{raw[:20]!r} is not a number from 1 to {MOST}."]})
    return int(raw)


def _shape(one: Similar) -> dict[str, Any]:
    incident = one.incident
    text, by = one.root_cause
    return {
        "id": incident.pk,
        "reference": incident.reference,
        "url": incident.get_absolute_url(),
        "title": incident.title,
        "status": incident.status,
        "environment": incident.environment,
        "started_at": incident.started_at,
        "resolved_at": incident.resolved_at,
        "score": round(one.score, 4),
        "shared": [{"text": words, "share": round(share, 4)} for words, share in one.shared],
        "root_cause": text,
        "root_cause_by": by,
        "resolution": incident.resolution,
    }
