"""REST API of the spans that an SLO's budget leaves out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from incidents.api import actor_of
from slos import corrections
from slos.models import SLO, SLOCorrection
from slos.rest.serializers import SLOCorrectionSerializer, SLOWithdrawalSerializer
from slos.rest.views import REFERENCE, slo_of


@extend_schema(parameters=[REFERENCE])
class CorrectionsView(generics.ListCreateAPIView[SLOCorrection]):
    """Corrections of an SLO, the latest span first, those withdrawn too; POST adds one."""

    serializer_class = SLOCorrectionSerializer
    paging_order = ("-starts_at", "-id")

    def get_queryset(self) -> QuerySet[SLOCorrection]:
        if getattr(self, "swagger_fake_view", False):
            return SLOCorrection.objects.none()
        slo = slo_of(self.kwargs["slo"], SLO.objects.all())
        return slo.corrections.select_related("author", "withdrawn_by")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        slo = slo_of(self.kwargs["slo"], SLO.objects.all())
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = corrections.add(slo, author=actor_of(request), **body.validated_data)
        return Response(self.get_serializer(row).data, status=201)


class WithdrawCorrectionView(APIView):
    @extend_schema(
        request=SLOWithdrawalSerializer, responses=SLOCorrectionSerializer, parameters=[REFERENCE]
    )
    def post(self, request: Request, slo: str, correction: UUID) -> Response:
        """What it excluded counts again; it stays on the record."""
        among = SLOCorrection.objects.filter(slo=slo_of(slo, SLO.objects.all()))
        row = get_object_or_404(among, pk=correction)
        body = SLOWithdrawalSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            done = corrections.withdraw(
                row, by=actor_of(request), reason=body.validated_data["reason"]
            )
        except corrections.Withdrawn as error:
            raise Problem(409, "correction-withdrawn", "It was withdrawn already.") from error
        return Response(SLOCorrectionSerializer(done).data)
