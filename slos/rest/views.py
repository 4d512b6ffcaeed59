"""REST API of SLOs: read, manage, check, import and export."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from correlation.data_sources.api import CheckThrottle
from incidents.api import actor_of, expected_version
from slos import keeping
from slos.checking.trying import try_out
from slos.exporting import exported
from slos.importing import import_openslo
from slos.models import SLO
from slos.rest.filters import SLOFilter
from slos.rest.parsing import TextYAMLText, XYAMLText, YAMLText
from slos.rest.reading import columns_of, history_of
from slos.rest.refusals import refusals
from slos.rest.serializers import (
    SLOHistoryQuerySerializer,
    SLOPointSerializer,
    SLOSavedSerializer,
    SLOSerializer,
    SLOWriteSerializer,
    saved,
)
from slos.rest.trial_serializers import (
    SLOImportedSerializer,
    SLOImportSerializer,
    SLOTrialSerializer,
)

YAML = "application/yaml"
REFERENCE = OpenApiParameter("slo", str, OpenApiParameter.PATH, description="Its name or id.")
RANGE = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="A day before `to`."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Now."),
    OpenApiParameter("step", float, description="Seconds; at most 2000 points."),
]


@extend_schema(parameters=[REFERENCE])
class SLOViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[SLO]):
    """SLOs by name. PATCH and DELETE heed If-Match: 412 when somebody was faster."""

    queryset = SLO.objects.select_related("service", "data_source", "created_by")
    serializer_class = SLOSerializer
    filterset_class = SLOFilter
    paging_order = ("name",)
    lookup_field = "name"
    lookup_url_kwarg = "slo"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "destroy": Role.ADMIN,
        "import_file": Role.ADMIN,
        "check": Role.RESPONDER,
    }

    def get_object(self) -> SLO:
        return slo_of(self.kwargs["slo"], self.get_queryset())

    @extend_schema(parameters=[])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        return Response(SLOSerializer(row).data, headers=_etag(row))

    @extend_schema(request=SLOWriteSerializer, responses={201: SLOSavedSerializer}, parameters=[])
    def create(self, request: Request) -> Response:
        """Checked against its source first; where none answers, `warnings` say so."""
        body = SLOWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            columns, accept = columns_of(body.validated_data)
            kept = keeping.create(columns, by=actor_of(request), accept_no_data=accept)
        where = request.build_absolute_uri(f"{request.path}/{kept.slo.name}")
        headers = {**_etag(kept.slo), "Location": where}
        return Response(saved(kept), status=201, headers=headers)

    @extend_schema(request=SLOWriteSerializer, responses=SLOSavedSerializer)
    def partial_update(self, request: Request, slo: str) -> Response:
        """Its source is asked only where its queries change."""
        row = self.get_object()
        body = SLOWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        version = expected_version(request)
        with refusals():
            columns, accept = columns_of(body.validated_data, row)
            kept = keeping.change(row, columns, version=version, accept_no_data=accept)
        return Response(saved(kept), headers=_etag(kept.slo))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slo: str) -> Response:
        """Only one that never counted anything; others are disabled, and keep their history."""
        with refusals():
            keeping.remove(self.get_object(), expected_version(request))
        return Response(status=204)

    @extend_schema(parameters=RANGE, responses=SLOPointSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def history(self, request: Request, slo: str) -> Response:
        """How it stood, oldest first: the last snapshot of each step."""
        asked = SLOHistoryQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows = history_of(self.get_object(), asked.validated_data)
        return Response(SLOPointSerializer(rows, many=True).data)

    @extend_schema(
        request=SLOWriteSerializer, responses=SLOTrialSerializer, parameters=[], filters=False
    )
    @action(detail=False, methods=["post"], throttle_classes=[CheckThrottle])
    def check(self, request: Request) -> Response:
        """What an SLO would have counted in the last hour; writes nothing."""
        body = SLOWriteSerializer(data=_named(request.data))
        body.is_valid(raise_exception=True)
        with refusals():
            columns, _ = columns_of(body.validated_data)
            found = try_out(columns)
        return Response(SLOTrialSerializer(found).data)

    @extend_schema(
        request={YAML: OpenApiTypes.STR, "application/json": SLOImportSerializer},
        responses=SLOImportedSerializer(many=True),
        parameters=[
            OpenApiParameter("dry_run", bool, description="Also in a JSON body."),
            OpenApiParameter("accept_no_data", bool, description="Likewise."),
        ],
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="import",
        pagination_class=None,
        parser_classes=[JSONParser, YAMLText, XYAMLText, TextYAMLText],
    )
    def import_file(self, request: Request) -> Response:
        """OpenSLO v1, one or more documents: all of them, or nothing."""
        given = request.data
        if isinstance(given, dict):
            given = {**request.query_params.dict(), **given}
        body = SLOImportSerializer(data=given)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        with refusals():
            done = import_openslo(asked.pop("openslo"), by=actor_of(request), **asked)
        return Response(SLOImportedSerializer(done, many=True).data)

    @extend_schema(responses={(200, YAML): OpenApiTypes.STR}, filters=False)
    @action(detail=True, url_path="openslo.yaml", url_name="openslo")
    def openslo(self, request: Request, slo: str) -> HttpResponse:
        """The SLO as OpenSLO v1; importing it changes nothing."""
        return _file([self.get_object()], "openslo")

    @extend_schema(responses={(200, YAML): OpenApiTypes.STR}, filters=False)
    @action(detail=True, url_path="rules.yaml", url_name="rules")
    def rules(self, request: Request, slo: str) -> HttpResponse:
        """The SLO as Prometheus rules with Sloth's names."""
        return _file([self.get_object()], "rules")

    @extend_schema(
        operation_id="slos_openslo_all",
        responses={(200, YAML): OpenApiTypes.STR},
        parameters=[],
        filters=True,
    )
    @action(detail=False, url_path="openslo.yaml", url_name="all-openslo", pagination_class=None)
    def all_openslo(self, request: Request) -> HttpResponse:
        """All SLOs that the filters let through as OpenSLO v1, one document each."""
        return _file(self.filter_queryset(self.get_queryset()).order_by("name"), "openslo")

    @extend_schema(
        operation_id="slos_rules_all",
        responses={(200, YAML): OpenApiTypes.STR},
        parameters=[],
        filters=True,
    )
    @action(detail=False, url_path="rules.yaml", url_name="all-rules", pagination_class=None)
    def all_rules(self, request: Request) -> HttpResponse:
        """All SLOs that the filters let through as Prometheus rules."""
        return _file(self.filter_queryset(self.get_queryset()).order_by("name"), "rules")


def slo_of(reference: str, among: QuerySet[SLO]) -> SLO:
    """The SLO of this name or id. Raises NotFound."""
    try:
        return among.get(pk=uuid.UUID(reference))
    except (ValueError, SLO.DoesNotExist):
        found = among.filter(name=reference).first()
    if found is None:
        raise NotFound(f"There is no SLO {reference[:70]!r}.")
    return found


def _named(given: Any) -> Any:
    """Whoever only checks an SLO need not name it."""
    return {"name": "unnamed", **given} if isinstance(given, dict) else given


def _etag(row: SLO) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}


def _file(rows: Any, form: str) -> HttpResponse:
    return HttpResponse(exported(rows, form), content_type=f"{YAML}; charset=utf-8")
