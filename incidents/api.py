"""REST API of incidents: fetch, call the lifecycle, answer."""

from __future__ import annotations

import re
from typing import Any, cast
from uuid import UUID

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from incidents import archiving, closing, lifecycle
from incidents.act_serializers import (
    CloseSerializer,
    IncidentPatchSerializer,
    TransitionSerializer,
)
from incidents.filters import IncidentFilter
from incidents.merges.serializers import ReasonSerializer
from incidents.models import Incident, IncidentRole, Status
from incidents.models.incident import IncidentQuerySet
from incidents.refusals import refusals
from incidents.serializers import IncidentSerializer, IncidentWriteSerializer

ETAG = re.compile(r'(?:W/)?"(\d+)"')


def actor_of(request: Request) -> User | None:
    """The person behind the request; None for a token without an owner."""
    return request.user if isinstance(request.user, User) else None


def incident_of(reference: str, among: IncidentQuerySet | None = None) -> Incident:
    """The incident of this name, read as `among` says. Raises NotFound."""
    try:
        return (Incident.objects.all() if among is None else among).by_reference(reference)
    except Incident.DoesNotExist as error:
        raise NotFound(f"There is no incident {reference[:60]!r}.") from error


def expected_version(request: Request) -> int | None:
    """The version named by If-Match; None when the header is absent or `*`."""
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return None
    match = ETAG.fullmatch(header)
    if match is None:
        raise ValidationError({"If-Match": ['Give the ETag that was answered, such as "3".']})
    return int(match[1])


class IncidentViewSet(viewsets.GenericViewSet[Incident]):
    """Open, read, edit and move incidents. `{reference}` is the id or INC-number."""

    queryset = Incident.objects.select_related(
        "merged_into__merged_into", "duplicate_of"
    ).prefetch_related(
        "affected__service",
        Prefetch(
            "roles",
            IncidentRole.objects.filter(ended_at=None).select_related("user"),
            to_attr="roles_held",
        ),
    )
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    lookup_field = "reference"

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=IncidentWriteSerializer, responses={201: IncidentSerializer})
    def create(self, request: Request) -> Response:
        body = IncidentWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        opened = lifecycle.open_incident(
            **body.validated_data, source=Incident.Source.API, actor=actor_of(request)
        )
        answer = self._shape(opened.incident)
        if opened.created:
            return self._answer(opened.incident, answer, status.HTTP_201_CREATED)
        answer["deduplicated"] = True
        if opened.similarity:
            answer["similarity"] = {
                "score": opened.similarity.score,
                "parts": opened.similarity.parts,
            }
        return self._answer(opened.incident, answer)

    def retrieve(self, request: Request, reference: str) -> Response:
        incident = incident_of(reference, cast("IncidentQuerySet", self.get_queryset()))
        return self._answer(incident, self._shape(incident))

    @extend_schema(request=IncidentPatchSerializer, responses=IncidentSerializer)
    def partial_update(self, request: Request, reference: str) -> Response:
        found = self._get(reference)
        context = {"environment": found.environment}
        body = IncidentPatchSerializer(data=request.data, context=context)
        body.is_valid(raise_exception=True)
        changes: dict[str, Any] = dict(body.validated_data)
        with refusals():
            incident = lifecycle.patch(
                incident_id=found.pk,
                actor=actor_of(request),
                to=changes.pop("status", None),
                may_stay=True,
                services=changes.pop("services", None),
                reason=changes.pop("reason", ""),
                changes=changes,
                version=expected_version(request),
            )
        return self._moved(incident)

    @extend_schema(request=TransitionSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, reference: str) -> Response:
        return self._move(request, reference, Status.INVESTIGATING)

    @extend_schema(request=TransitionSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def mitigate(self, request: Request, reference: str) -> Response:
        return self._move(request, reference, Status.MITIGATED)

    @extend_schema(request=TransitionSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, reference: str) -> Response:
        return self._move(request, reference, Status.RESOLVED)

    @extend_schema(request=TransitionSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, reference: str) -> Response:
        body = TransitionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            incident = lifecycle.reopen(
                incident_id=self._get(reference).pk,
                actor=actor_of(request),
                reason=body.validated_data["reason"],
                version=expected_version(request),
            )
        return self._moved(incident)

    @extend_schema(request=CloseSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, reference: str) -> Response:
        """Close it as a duplicate, a false positive or a drill: sealed, and in no statistics."""
        body = CloseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        original = given.get("duplicate_of")
        with refusals():
            incident = closing.close_as(
                incident_id=self._get(reference).pk,
                closed_as=given["as"],
                actor=actor_of(request),
                reason=given["reason"],
                duplicate_of=original,
                version=expected_version(request),
            )
        return self._moved(incident)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, reference: str) -> Response:
        """Take a resolved incident off the board now."""
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            incident = archiving.archive(
                incident_id=self._get(reference).pk,
                actor=actor_of(request),
                reason=body.validated_data["reason"],
                version=expected_version(request),
            )
        return self._moved(incident)

    def _move(self, request: Request, reference: str, to: Status) -> Response:
        body = TransitionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changes: dict[str, Any] = dict(body.validated_data)
        with refusals():
            incident = lifecycle.patch(
                incident_id=self._get(reference).pk,
                actor=actor_of(request),
                to=to,
                reason=changes.pop("reason"),
                changes=changes,
                version=expected_version(request),
            )
        return self._moved(incident)

    def _get(self, reference: str) -> Incident:
        return incident_of(reference)

    def _shape(self, incident: Incident) -> dict[str, Any]:
        if not hasattr(incident, "roles_held"):
            incident = self.queryset.get(pk=incident.pk)
        return cast("dict[str, Any]", dict(self.get_serializer(incident).data))

    def _moved(self, incident: Incident) -> Response:
        return incident_answer(incident.pk)

    def _answer(
        self, incident: Incident, body: dict[str, Any], code: int = status.HTTP_200_OK
    ) -> Response:
        headers = {"ETag": f'"{incident.version}"'}
        if code == status.HTTP_201_CREATED:
            headers["Location"] = f"/api/incidents/{incident.pk}"
        return Response(body, status=code, headers=headers)


def incident_answer(incident_id: UUID) -> Response:
    """The incident as it is now, with its ETag."""
    incident = IncidentViewSet.queryset.get(pk=incident_id)
    body = IncidentSerializer(incident).data
    return Response(body, headers={"ETag": f'"{incident.version}"'})
