"""REST API of the analysis: read the latest, ask for a new one."""

from __future__ import annotations

import uuid

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from correlation import queue
from correlation.memory import verdicts
from correlation.models import Analysis
from correlation.panels import newest_and_shown
from correlation.serializers import AnalysisSerializer, CorrelationsSerializer
from incidents.api import actor_of, incident_of
from incidents.models import Incident


class CorrelationsView(APIView):
    """What was found: the newest run's status, the latest finished run's causes and evidence."""

    @extend_schema(
        parameters=[OpenApiParameter("analysis", uuid.UUID, description="Show this run.")],
        responses=CorrelationsSerializer,
    )
    def get(self, request: Request, reference: str) -> Response:
        incident = incident_of(reference)
        newest, shown = newest_and_shown(incident, None)
        if wanted := request.query_params.get("analysis"):
            newest = shown = _analysis_of(incident, wanted)
        causes = shown.root_causes.all() if shown else []
        body = {
            "analysis": newest,
            "shown": shown.pk if shown else None,
            "root_causes": verdicts.judged(causes, verdicts.current(incident.pk)),
            "correlations": shown.correlations.all() if shown else [],
        }
        return Response(CorrelationsSerializer(body, context={"incident": incident}).data)


class AnalyseView(APIView):
    """Ask for another analysis now."""

    @extend_schema(request=None, responses={202: AnalysisSerializer})
    def post(self, request: Request, reference: str) -> Response:
        analysis = queue.request(
            incident_id=incident_of(reference).pk,
            reason="requested",
            requested_by=actor_of(request),
        )
        if analysis is None:
            raise Problem(409, "merged", "The incident was merged; analyse its survivor.")
        return Response(AnalysisSerializer(analysis).data, status=status.HTTP_202_ACCEPTED)


def _analysis_of(incident: Incident, wanted: str) -> Analysis:
    try:
        pk = uuid.UUID(wanted)
    except ValueError as error:
        raise ValidationError({"analysis": [f"{wanted[:60]!r} is not a UUID."]}) from error
    return get_object_or_404(incident.analyses, pk=pk)
