"""REST: /api/incidents/{reference}/report.md and .json, and asking for a new version."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from accounts.serializers import ProblemSerializer
from incidents.api import actor_of, incident_of
from timeline.reporting import queue
from timeline.reporting.models import IncidentReport
from timeline.reporting.reading import NoSuchVersion, Reading, read

PROBLEMS = dict.fromkeys((400, 401, 403, 404), ProblemSerializer)
VERSION = OpenApiParameter("version", int, description="The newest when left out.")


class VersionQuery(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class ReportState(serializers.ModelSerializer[IncidentReport]):
    class Meta:
        model = IncidentReport
        fields = ("version", "state", "attempt", "error", "queued_at", "generated_at")
        read_only_fields = fields


def _read(request: Request, reference: str) -> Reading:
    query = VersionQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    try:
        return read(incident_of(reference), query.validated_data.get("version"))
    except NoSuchVersion as error:
        raise NotFound(str(error)) from error


class ReportJson(APIView):
    @extend_schema(
        operation_id="incidents_report_json",
        parameters=[VERSION],
        responses={200: OpenApiTypes.OBJECT, **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> Response:
        """The report: its standing, and every section's data and Markdown.

        `draft` is true until the version of the last resolution is written.
        """
        reading = _read(request, reference)
        return Response({**reading.content, **reading.meta})


class ReportMarkdown(APIView):
    @extend_schema(
        operation_id="incidents_report_markdown",
        parameters=[VERSION],
        responses={(200, "text/markdown"): OpenApiTypes.STR, **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> HttpResponseBase:
        """The report as one Markdown file; `X-Report-State` says whether it is a draft."""
        reading = _read(request, reference)
        name = reading.content["incident"]["reference"]
        return markdown_file(
            reading.markdown,
            f"{name}-report.md",
            {
                "X-Report-State": "draft" if reading.report is None else "done",
                "X-Report-Digest": f"sha256:{reading.digest}",
            },
        )


def markdown_file(text: str, name: str, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(
        text,
        content_type="text/markdown; charset=utf-8",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            **headers,
        },
    )


class Reports(APIView):
    @extend_schema(
        operation_id="incidents_reports_list",
        responses={200: ReportState(many=True), **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> Response:
        """Every version, newest first: written, waiting, failed or dropped."""
        rows = incident_of(reference).reports.defer("data", "markdown").order_by("-version")
        return Response(ReportState(rows, many=True).data)

    @extend_schema(
        operation_id="incidents_reports_create",
        request=None,
        responses={202: ReportState, **PROBLEMS, 409: ProblemSerializer},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Ask for a new version; the one that waits already is answered where there is one."""
        incident = incident_of(reference)
        if not incident.is_resolved:
            raise Problem(
                409, "not-resolved", "The report is written when the incident is resolved."
            )
        report = queue.request(incident_id=incident.pk, requested_by=actor_of(request))
        return Response(ReportState(report).data, status=202)
