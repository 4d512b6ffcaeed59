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
from incidents import lab
from incidents.api import actor_of
from incidents.serializers import ServiceSlugField


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
        opened = lab.break_service(service=service, failure=wanted, actor=actor_of(request))
    except lab.LabRefused as error:
        raise ValidationError({error.field or "service": [str(error)]}) from error
    except lab.LabUnavailable as error:
        raise Problem(503, "lab-unavailable", str(error)) from error
    answer: dict[str, Any] = {"service": service.slug, "failure": wanted, "incident": None}
    if opened is not None:
        answer["incident"] = {
            "id": str(opened.incident.pk),
            "reference": opened.incident.reference,
            "deduplicated": not opened.created,
        }
    return Response(answer, status=status.HTTP_202_ACCEPTED)
