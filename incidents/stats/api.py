"""REST: /api/stats, as JSON and as CSV."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.csv_rows import csv_text
from accounts.serializers import ProblemSerializer
from incidents.stats.asking import StatsQuery, asked_of, read
from incidents.stats.overview import Asked, overview
from incidents.stats.tables import as_json, as_rows

PROBLEMS = dict.fromkeys((400, 401, 403), ProblemSerializer)


class FiguresSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField(help_text="Incidents whose moment came.")
    mean_seconds = serializers.FloatField(allow_null=True)
    median_seconds = serializers.FloatField(allow_null=True)
    p90_seconds = serializers.FloatField(allow_null=True, help_text="By linear interpolation.")


class GroupSerializer(serializers.Serializer[Any]):
    incidents = serializers.IntegerField()
    ttd = FiguresSerializer(help_text="From the start to the first signal.")
    mtta = FiguresSerializer(help_text="From the start to the first human step.")
    ttm = FiguresSerializer(help_text="From the start to the mitigation.")
    mttr = FiguresSerializer(help_text="From the start to the resolution.")


class SeverityGroupSerializer(GroupSerializer):
    severity = serializers.CharField()


class ServiceGroupSerializer(GroupSerializer):
    service = serializers.CharField()


class PeriodGroupSerializer(GroupSerializer):
    first_day = serializers.DateField()
    last_day = serializers.DateField()


class StatsSerializer(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    period = serializers.CharField()
    time_zone = serializers.CharField()
    service = serializers.CharField(allow_null=True)
    severity = serializers.CharField(allow_null=True)
    overall = GroupSerializer()
    by_severity = SeverityGroupSerializer(many=True)
    by_service = ServiceGroupSerializer(many=True)
    by_period = PeriodGroupSerializer(many=True)


def _asked(request: Request) -> Asked:
    query = read(request.query_params.dict(), request.user)
    query.is_valid(raise_exception=True)
    return asked_of(query)


class Stats(APIView):
    @extend_schema(parameters=[StatsQuery], responses={200: StatsSerializer, **PROBLEMS})
    def get(self, request: Request) -> Response:
        """TTD, MTTA, TTM and MTTR over all, by severity, service and period."""
        asked = _asked(request)
        return Response(StatsSerializer(as_json(asked, overview(asked))).data)


class StatsCsv(APIView):
    @extend_schema(
        parameters=[StatsQuery],
        responses={200: OpenApiResponse(OpenApiTypes.STR, description="CSV."), **PROBLEMS},
    )
    def get(self, request: Request) -> Any:
        """The same as CSV: a row for each group and metric."""
        asked = _asked(request)
        text = csv_text(as_rows(overview(asked)))
        audit.record("stats.exported", None, None, {**vars(asked), "zone": asked.zone.key})
        headers = {"Content-Disposition": 'attachment; filename="stats.csv"'}
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
