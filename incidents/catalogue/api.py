"""REST API of the service catalogue: services, dependencies, changes."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from accounts.problems import Problem
from incidents.catalogue.changes import Contradiction, Recorded, record_change
from incidents.filters import ChangeFilter, ServiceFilter
from incidents.models import ChangeEvent, Service, ServiceDependency
from incidents.serializers import ChangeSerializer, DependencySerializer, ServiceSerializer


class ServiceViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[Service],
):
    queryset = Service.objects.all()
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilter
    http_method_names = ["get", "post", "patch", "head", "options"]
    required_roles = {"create": Role.ADMIN, "partial_update": Role.ADMIN}


class DependencyViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[ServiceDependency],
):
    queryset = ServiceDependency.objects.select_related("caller", "callee")
    serializer_class = DependencySerializer
    required_roles = {"create": Role.ADMIN, "destroy": Role.ADMIN}


class ChangeViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[ChangeEvent],
):
    """Changes; telling of one again answers 200 with what is known of it."""

    queryset = ChangeEvent.objects.select_related("service")
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    paging_order = ("-at", "-id")

    def create(self, request: Request) -> Response:
        recorded = record_told(request.data, "api")
        told = status.HTTP_201_CREATED if recorded.created else status.HTTP_200_OK
        return Response(self.get_serializer(recorded.change).data, status=told)


def record_told(data: Any, source: str) -> Recorded:
    """The change that a body tells of, kept once; 400 names the field, 409 a taken id."""
    body = ChangeSerializer(data=data)
    body.is_valid(raise_exception=True)
    try:
        return record_change(source=source, columns=body.validated_data)
    except Contradiction as error:
        raise Problem(
            409,
            "change-differs",
            f"There is a change with this id and another {' and '.join(error.fields)}.",
            fields=error.fields,
        ) from error
