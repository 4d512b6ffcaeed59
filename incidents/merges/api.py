"""REST: merge, un-merge, what was merged, and what is proposed to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from accounts.serializers import ProblemSerializer
from incidents.api import actor_of, expected_version, incident_answer, incident_of
from incidents.merges import merging, proposals
from incidents.merges.serializers import (
    IncidentMergeSerializer,
    MergeProposalSerializer,
    MergeSerializer,
    ReasonSerializer,
)
from incidents.merges.unmerging import unmerge
from incidents.models import IncidentMerge, MergeProposal
from incidents.models.incident import reference_query
from incidents.refusals import refusals
from incidents.serializers import IncidentSerializer

PROBLEMS = dict.fromkeys((400, 401, 403, 404, 409, 412), ProblemSerializer)


class Merge(APIView):
    @extend_schema(
        operation_id="incidents_merge_create",
        request=MergeSerializer,
        responses={200: IncidentSerializer, **PROBLEMS},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Merge this incident into another, or others into this one; answers the survivor."""
        body = MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        this, target = incident_of(reference), body.validated_data.get("into")
        sources = body.validated_data.get("sources", [this])
        survivor = target or this
        version = expected_version(request)
        with refusals():
            try:
                merging.merge_all(
                    source_ids=[source.pk for source in sources],
                    target_id=survivor.pk,
                    actor=actor_of(request),
                    reason=body.validated_data["reason"],
                    versions=None if version is None else {this.pk: version},
                )
            except merging.CannotMerge as error:
                raise ValidationError({"into" if target else "sources": [str(error)]}) from error
        return incident_answer(survivor.pk)


class Unmerge(APIView):
    @extend_schema(
        operation_id="incidents_unmerge_create",
        request=ReasonSerializer,
        responses={200: IncidentSerializer, **PROBLEMS},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Undo the merge of this incident into another; answers this incident, as it was."""
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = incident_of(reference)
        with refusals():
            unmerge(
                source_id=found.pk,
                actor=actor_of(request),
                version=expected_version(request),
                **body.validated_data,
            )
        return incident_answer(found.pk)


class Merges(generics.ListAPIView[IncidentMerge]):
    """Merges that this incident was the source or the survivor of, undone ones too."""

    serializer_class = IncidentMergeSerializer
    queryset = IncidentMerge.objects.select_related("source", "target", "actor", "undone_by")
    paging_order = ("-at", "-id")

    def get_queryset(self) -> QuerySet[IncidentMerge]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        incident = incident_of(self.kwargs["reference"])
        return rows.filter(Q(source=incident) | Q(target=incident))


class ProposalFilter(django_filters.FilterSet):
    incident = django_filters.CharFilter(method="of_incident", help_text="id or INC-number")

    class Meta:
        model = MergeProposal
        fields = ["state"]

    def of_incident(
        self, queryset: QuerySet[MergeProposal], name: str, value: str
    ) -> QuerySet[MergeProposal]:
        try:
            return queryset.filter(
                reference_query(value, "older") | reference_query(value, "newer")
            )
        except ValueError as error:
            raise ValidationError({"incident": ["Give an id or an INC-number."]}) from error


class MergeProposalViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[MergeProposal]
):
    """Pairs of incidents that may be one."""

    queryset = MergeProposal.objects.select_related("older", "newer", "decided_by")
    serializer_class = MergeProposalSerializer
    filterset_class = ProposalFilter

    @extend_schema(request=ReasonSerializer, responses={200: MergeProposalSerializer, **PROBLEMS})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Merge the newer of the two into the older."""
        return self._decide(request, merging.accept)

    @extend_schema(request=ReasonSerializer, responses={200: MergeProposalSerializer, **PROBLEMS})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """They are two: not proposed again, never merged automatically."""
        return self._decide(request, proposals.dismiss)

    def _decide(self, request: Request, decide: Callable[..., Any]) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = self.get_object()
        with refusals():
            try:
                decide(proposal_id=found.pk, actor=actor_of(request), **body.validated_data)
            except proposals.AlreadyDecided as error:
                raise Problem(409, "already-decided", str(error), state=found.state) from error
        return Response(self.get_serializer(self.get_object()).data)
