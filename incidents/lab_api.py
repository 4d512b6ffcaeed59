"""POST /api/test/fail: the original's way to break a service of the lab."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.problems import Problem
from incidents import lab, lifecycle
from incidents.api import actor_of
from incidents.models import Incident, Severity
from incidents.serializers import ServiceSlugField

INCIDENT_ABOVE = 0.25
"""error_rate above which the failure opens an incident at once, as the original did."""


class FailureSerializer(serializers.Serializer[Any]):
    service = ServiceSlugField()
    error_rate = serializers.FloatField(min_value=0, max_value=1, required=False)
    cpu_usage = serializers.FloatField(min_value=0, max_value=100, required=False)
    memory_usage = serializers.FloatField(min_value=0, max_value=100, required=False)
    response_time_ms = serializers.FloatField(min_value=0, max_value=60_000, required=False)
    db_connections = serializers.IntegerField(min_value=0, max_value=10_000, required=False)


@extend_schema(request=FailureSerializer, responses={202: dict})
@api_view(["POST"])
def fail(request: Request) -> Response:
    """Break a service of the lab; 404 where no lab runs."""
    if not settings.LAB_URL:
        raise Http404("No failure lab runs here.")
    body = FailureSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    wanted = dict(body.validated_data)
    service = wanted.pop("service")
    try:
        lab.fail({"service": service.slug, **wanted})
    except lab.LabRefused as error:
        raise ValidationError({"service": [str(error)]}) from error
    except lab.LabUnavailable as error:
        raise Problem(503, "lab-unavailable", str(error)) from error
    answer: dict[str, Any] = {"service": service.slug, "failure": wanted, "incident": None}
    rate = wanted.get("error_rate", 0.0)
    if rate > INCIDENT_ABOVE:
        opened = lifecycle.open_incident(
            title=f"{service.slug}: error rate {rate:.0%}",
            severity=Severity.CRITICAL if rate >= 0.5 else Severity.HIGH,
            services=[service],
            description="Opened by POST /api/test/fail.",
            source=Incident.Source.LAB,
            actor=actor_of(request),
            correlation_key=f"service:{service.environment}:{service.slug}",
        )
        answer["incident"] = {
            "id": str(opened.incident.pk),
            "reference": opened.incident.reference,
            "deduplicated": not opened.created,
        }
    return Response(answer, status=status.HTTP_202_ACCEPTED)
