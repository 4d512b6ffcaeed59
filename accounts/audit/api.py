"""REST: /api/audit, for administrators: read, filtered, and as a file."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.audit.chaining import chain_drafts
from accounts.audit.exporting import export
from accounts.audit.models import AuditEntry
from accounts.audit.reading import AuditQuery, select
from accounts.models import Role
from accounts.serializers import ProblemSerializer

PROBLEMS = dict.fromkeys((400, 401, 403), ProblemSerializer)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    before = serializers.JSONField(help_text="The fields that changed, as they were.")
    after = serializers.JSONField(help_text="The fields that changed, as they are.")

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "seq",
            "at",
            "action",
            "actor_kind",
            "actor",
            "actor_name",
            "token",
            "address",
            "request_id",
            "via",
            "target_type",
            "target_id",
            "target_name",
            "reason",
            "before",
            "after",
            "previous",
            "digest",
        )


def asked_for(request: Request) -> dict[str, Any]:
    query = AuditQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


class Audit(GenericAPIView[AuditEntry]):
    """What people, tokens and commands changed, newest first."""

    queryset = AuditEntry.objects.all()
    serializer_class = AuditEntrySerializer
    required_role = Role.ADMIN
    paging_order = ("-seq",)
    filter_backends: list[Any] = []

    @extend_schema(
        operation_id="audit_list",
        parameters=[AuditQuery],
        responses={200: AuditEntrySerializer(many=True), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Entries that match, newest first."""
        chain_drafts()
        page = self.paginate_queryset(select(**asked_for(request)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def _exported(request: Request, shape: str) -> Any:
    chain_drafts()
    filters = asked_for(request)
    return export(request._request, select(**filters), shape, filters)


AS_FILE = {200: OpenApiResponse(OpenApiTypes.STR, description="Oldest first."), **PROBLEMS}


class CsvExport(APIView):
    required_role = Role.ADMIN

    @extend_schema(parameters=[AuditQuery], responses=AS_FILE)
    def get(self, request: Request) -> Any:
        """The entries that match, as CSV; taking it is an entry of its own."""
        return _exported(request, "csv")


class JsonLinesExport(APIView):
    required_role = Role.ADMIN

    @extend_schema(parameters=[AuditQuery], responses=AS_FILE)
    def get(self, request: Request) -> Any:
        """The entries that match, one JSON object a line; taking it is an entry of its own."""
        return _exported(request, "jsonl")
