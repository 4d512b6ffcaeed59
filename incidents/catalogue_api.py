"""REST API of the service catalogue: services, dependencies, changes."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, viewsets

from accounts.models import Role
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
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[ChangeEvent],
):
    queryset = ChangeEvent.objects.select_related("service")
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    paging_order = ("-at", "-id")

    def perform_create(self, serializer: Any) -> None:
        serializer.save(source="api")
