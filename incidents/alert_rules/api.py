"""REST API of the grouping rules and of the maps that alerts are read through."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from incidents.alert_rules import edits
from incidents.alert_rules.serializers import (
    AlertReadingSerializer,
    AlertTrialRequestSerializer,
    AlertTrialSerializer,
    GroupingRuleSerializer,
)
from incidents.alert_rules.trial import try_out
from incidents.api import expected_version
from incidents.models import AlertReading, AlertSource, GroupingRule

INSTALLATION = "installation"
SCOPE = OpenApiParameter(
    "scope", str, OpenApiParameter.PATH, description='Slug of a source, or "installation".'
)


class GroupingRuleViewSet(viewsets.ModelViewSet[GroupingRule]):
    """Grouping rules in the order in which they are tried; the built-in default comes last.

    PATCH and DELETE heed If-Match: 412 when somebody was faster.
    """

    queryset = GroupingRule.objects.prefetch_related("sources")
    serializer_class = GroupingRuleSerializer
    paging_order = ("priority", "name")
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "destroy": Role.ADMIN,
        "test": Role.VIEWER,
    }

    def perform_update(self, serializer: Any) -> None:
        edits.save(serializer, expected_version(self.request))

    def perform_destroy(self, instance: GroupingRule) -> None:
        edits.remove(instance, expected_version(self.request))

    def finalize_response(self, request: Request, response: Any, *args: Any, **more: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **more)
        version = answer.data.get("version") if isinstance(answer.data, dict) else None
        if version is not None:
            answer["ETag"] = f'"{version}"'
        return answer

    @extend_schema(
        request=AlertTrialRequestSerializer, responses=AlertTrialSerializer, filters=False
    )
    @action(detail=False, methods=["post"])
    def test(self, request: Request) -> Response:
        """Which rule an alert would hit, and which incident it would join; writes nothing."""
        body = AlertTrialRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        trial = try_out(
            labels=given["labels"],
            annotations=given["annotations"],
            source=given["source"],
            firing=given["status"] == "firing",
        )
        return Response(AlertTrialSerializer(trial).data)


@extend_schema(parameters=[SCOPE])
class AlertReadingViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[AlertReading],
):
    """The service and the severity map, of the installation and of single sources.

    PUT makes one or replaces what it names; DELETE gives the installation's, or the shipped
    ones, their place back.
    """

    queryset = AlertReading.objects.all()
    serializer_class = AlertReadingSerializer
    paging_order = ("scope",)
    lookup_field = "scope"
    lookup_value_converter = "slug"
    http_method_names = ["get", "put", "delete", "head", "options"]
    required_roles = {"update": Role.ADMIN, "destroy": Role.ADMIN}

    def get_object(self) -> AlertReading:
        row = AlertReading.objects.filter(scope=self._scope()).first()
        if row is None:
            raise NotFound("Nothing of its own: the installation's, or what is shipped, holds.")
        return row

    @extend_schema(parameters=[])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def update(self, request: Request, scope: str) -> Response:
        """Make or change the maps of a source, or of the installation."""
        row = AlertReading.objects.filter(scope=self._scope()).first()
        body = self.get_serializer(row, data=request.data, partial=row is not None)
        body.is_valid(raise_exception=True)
        if row is None:
            if self._scope() and not AlertSource.objects.filter(slug=scope).exists():
                raise NotFound(f"There is no alert source {scope!r}.")
            body.save(scope=self._scope())
        else:
            edits.save(body, expected_version(request))
        return Response(body.data, headers={"ETag": f'"{body.data["version"]}"'})

    def _scope(self) -> str:
        given: str = self.kwargs["scope"]
        return "" if given == INSTALLATION else given
