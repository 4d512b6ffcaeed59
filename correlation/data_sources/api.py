"""REST API of the data sources: read, manage, check one now."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle

from accounts.models import Role
from accounts.problems import Problem
from correlation.data_sources.catalogue import ENVIRONMENT, check_now
from correlation.data_sources.serializers import DataSourceSerializer, ProbeSerializer
from correlation.models import DataSource, SourceHealth


class CheckThrottle(UserRateThrottle):
    """Checks by one person; without its cache nobody is kept from checking."""

    scope = "check"
    rate = "30/min"

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except RedisError:
            return True


class DataSourceViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[DataSource],
):
    """The telemetry backends; `{source}` is the slug or the id.

    Secrets are named, never stored and never shown.
    """

    queryset = DataSource.objects.select_related("health")
    serializer_class = DataSourceSerializer
    filterset_fields = ["kind", "environment", "enabled", "origin"]
    lookup_field = "slug"
    lookup_url_kwarg = "source"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "destroy": Role.ADMIN,
    }

    def get_object(self) -> DataSource:
        return _source_of(self.get_queryset(), self.kwargs["source"])

    def perform_destroy(self, instance: DataSource) -> None:
        if instance.origin == DataSource.Origin.ENVIRONMENT:
            variable = ENVIRONMENT[DataSource.Kind(instance.kind)]
            raise Problem(
                409, "follows-environment", f"Unset {variable}, or disable the data source."
            )
        instance.delete()

    @extend_schema(request=None, responses=ProbeSerializer)
    @action(detail=True, methods=["post"], throttle_classes=[CheckThrottle])
    def check(self, request: Request, source: str) -> Response:
        """Ask the source now, whatever its circuit breaker says, for 10 s at most."""
        row = self.get_object()
        found = check_now(row)
        health = SourceHealth.objects.get(source=row)
        return Response(ProbeSerializer({**asdict(found), "health": health}).data)


def _source_of(sources: QuerySet[DataSource], reference: str) -> DataSource:
    try:
        return sources.get(pk=uuid.UUID(reference))
    except (ValueError, DataSource.DoesNotExist):
        found = sources.filter(slug=reference).first()
    if found is None:
        raise NotFound(f"There is no data source {reference[:60]!r}.")
    return found
