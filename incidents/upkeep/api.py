"""REST API of what happens to alerts over time: maintenance windows, heartbeats, Alertmanagers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.models import Role
from accounts.problems import Problem
from incidents.api import actor_of
from incidents.models import Alertmanager, Heartbeat, MaintenanceWindow
from incidents.upkeep import heartbeats, maintenance, reconcile
from incidents.upkeep.serializers import (
    AlertmanagerSerializer,
    ExtensionSerializer,
    HeartbeatSerializer,
    MaintenanceWindowSerializer,
    ReconcileSerializer,
)


class HeartbeatFilter(django_filters.FilterSet):
    source = django_filters.CharFilter(field_name="source__slug")

    class Meta:
        model = Heartbeat
        fields = ["enabled"]


class AlertmanagerFilter(django_filters.FilterSet):
    source = django_filters.CharFilter(field_name="source__slug")

    class Meta:
        model = Alertmanager
        fields = ["enabled"]


NO_PUT = ["get", "post", "patch", "head", "options"]


class MaintenanceWindowViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[MaintenanceWindow],
):
    """Planned work. A window is cancelled, never deleted: alerts refer to it."""

    queryset = MaintenanceWindow.objects.select_related(
        "created_by", "cancelled_by"
    ).prefetch_related("services")
    serializer_class = MaintenanceWindowSerializer
    filterset_fields = ["mode", "environment", "weekly"]
    lookup_value_converter = "uuid"
    http_method_names = NO_PUT
    paging_order = ("-starts_at", "-id")

    def get_queryset(self) -> QuerySet[MaintenanceWindow]:
        rows = super().get_queryset()
        over = self.request.query_params.get("over")
        if over is None:
            return rows
        if over not in ("true", "false"):
            raise ValidationError({"over": ["Use true or false."]})
        past = Q(over_at__lte=timezone.now())
        return rows.filter(past) if over == "true" else rows.exclude(past)

    @extend_schema(parameters=[OpenApiParameter("over", bool)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def perform_create(self, serializer: BaseSerializer[MaintenanceWindow]) -> None:
        serializer.save(created_by=actor_of(self.request))

    def perform_update(self, serializer: BaseSerializer[MaintenanceWindow]) -> None:
        window = self.get_object()
        _refusing(lambda: maintenance.changeable(window))
        serializer.save()

    @extend_schema(request=None, responses=MaintenanceWindowSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """End it now, for good. What it held back and still fires opens its incident."""
        window = self.get_object()
        actor = actor_of(request)
        _refusing(lambda: maintenance.cancel(window_id=window.pk, actor=actor))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ExtensionSerializer, responses=MaintenanceWindowSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: UUID) -> Response:
        """Have it end at another time."""
        window = self.get_object()
        body = ExtensionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        ends_at = body.validated_data["ends_at"]
        _refusing(lambda: maintenance.extend(window_id=window.pk, ends_at=ends_at))
        return Response(self.get_serializer(self.get_object()).data)


class HeartbeatViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Heartbeat],
):
    """Alerts that always fire: they open no incident, their silence does."""

    queryset = Heartbeat.objects.select_related("source")
    serializer_class = HeartbeatSerializer
    filterset_class = HeartbeatFilter
    lookup_value_converter = "uuid"
    http_method_names = [*NO_PUT, "delete"]
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "destroy": Role.ADMIN,
    }

    def get_queryset(self) -> QuerySet[Heartbeat]:
        return super().get_queryset().prefetch_related(heartbeats.with_pulses())

    def perform_update(self, serializer: BaseSerializer[Heartbeat]) -> None:
        saved = serializer.save()
        serializer.instance = self.get_queryset().get(pk=saved.pk)  # read with its pulses


class AlertmanagerViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Alertmanager],
):
    """Alertmanagers that are read for what a webhook cannot report. Secrets are named only."""

    queryset = Alertmanager.objects.select_related("source")
    serializer_class = AlertmanagerSerializer
    filterset_class = AlertmanagerFilter
    lookup_value_converter = "uuid"
    http_method_names = [*NO_PUT, "delete"]
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "destroy": Role.ADMIN,
    }

    def perform_destroy(self, instance: Alertmanager) -> None:
        if instance.follows_environment:
            raise Problem(409, "follows-environment", "Unset ALERTMANAGER_URL, or disable it.")
        instance.delete()

    @extend_schema(request=None, responses=ReconcileSerializer)
    @action(detail=True, methods=["post"])
    def reconcile(self, request: Request, pk: UUID) -> Response:
        """Read all Alertmanagers of its source now; 409 `being-read` while a worker does."""
        outcome = reconcile.reconcile(self.get_object().source)
        if outcome is None:
            raise Problem(409, "being-read", "It is disabled, or being read at this moment.")
        return Response(ReconcileSerializer(asdict(outcome)).data)


def _refusing(act: Any) -> None:
    try:
        act()
    except maintenance.WindowOver as error:
        raise Problem(409, "window-over", str(error)) from error
