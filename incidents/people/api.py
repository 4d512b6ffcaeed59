"""REST: the roles of an incident."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api import actor_of, expected_version, incident_of
from incidents.models import IncidentRole
from incidents.people import roles
from incidents.people.serializers import RoleSerializer
from incidents.refusals import refusals


class RoleViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[IncidentRole]):
    """Who held which role, newest first; `If-Match` names the version of the incident."""

    serializer_class = RoleSerializer
    queryset = IncidentRole.objects.select_related("user", "assigned_by", "ended_by")
    paging_order = ("-assigned_at", "-id")

    def get_queryset(self) -> QuerySet[IncidentRole]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return rows.filter(incident=incident_of(self.kwargs["reference"]))

    def create(self, request: Request, reference: str) -> Response:
        """Give a person a role; a commander takes over from the one before."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            row, new = roles.assign(
                incident_id=incident_of(reference).pk,
                user=body.validated_data["user"],
                role=body.validated_data["role"],
                actor=actor_of(request),
                version=expected_version(request),
            )
        return Response(self.get_serializer(row).data, status=201 if new else 200)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, reference: str, pk: str) -> Response:
        """The person lays the role down."""
        with refusals():
            try:
                row = roles.end(
                    incident_id=incident_of(reference).pk,
                    role_id=self.get_object().pk,
                    actor=actor_of(request),
                    version=expected_version(request),
                )
            except IncidentRole.DoesNotExist as error:
                raise NotFound("There is no such role.") from error
        return Response(self.get_serializer(row).data)
