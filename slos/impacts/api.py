"""REST API of the impact of an incident."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents.api import incident_of
from incidents.models import Incident
from slos import breaches
from slos.models import IncidentImpact


class ImpactInputSerializer(serializers.Serializer[Any]):
    """A value that went into a formula; numbers, texts and null as they are."""

    name = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # its name on the wire


class ImpactFigureSerializer(serializers.Serializer[Any]):
    """`value` is null where it is unknown, and `missing` says what lacks."""

    value = serializers.JSONField(allow_null=True)
    formula = serializers.CharField()
    inputs = ImpactInputSerializer(many=True)
    missing = serializers.CharField()
    reason = serializers.CharField(required=False, help_text="Of the severity alone.")


class ImpactUpstreamSerializer(serializers.Serializer[Any]):
    """A caller of the affected services; shares are 0 to 1, null where nobody knows."""

    service = serializers.CharField()
    tier = serializers.IntegerField()
    hops = serializers.IntegerField()
    calls = serializers.CharField()
    failed_share_now = serializers.FloatField(allow_null=True)
    failed_share_before = serializers.FloatField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]


class ImpactBreachSerializer(serializers.Serializer[Any]):
    slo = serializers.CharField(source="slo.name")
    service = serializers.CharField(source="slo.service.slug")
    policy = serializers.CharField()
    severity = serializers.CharField()
    factor = serializers.FloatField()
    peak_burn_rate = serializers.FloatField(allow_null=True)
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.CharField()


class ImpactServiceSerializer(serializers.Serializer[Any]):
    """`counted_by` is the SLO whose requests were counted; `slos` are all that watch it."""

    service = serializers.CharField()
    tier = serializers.IntegerField()
    counted_by = serializers.CharField(allow_null=True)
    figures = serializers.DictField(child=ImpactFigureSerializer())
    slos = serializers.ListField(child=serializers.JSONField())


class IncidentImpactSerializer(serializers.Serializer[Any]):
    """`summary` is the incident's `business_impact`; null where no SLO watches its services."""

    summary = serializers.JSONField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)
    frozen_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    figures = serializers.DictField(child=ImpactFigureSerializer())
    services = ImpactServiceSerializer(many=True)
    blast_radius = ImpactUpstreamSerializer(many=True)
    breaches = ImpactBreachSerializer(many=True)


class ImpactView(APIView):
    """What an incident costs: each figure with its formula, inputs and their sources."""

    @extend_schema(responses=IncidentImpactSerializer)
    def get(self, request: Request, reference: str) -> Response:
        return Response(IncidentImpactSerializer(_shape(incident_of(reference))).data)


def _shape(incident: Incident) -> dict[str, Any]:
    row = IncidentImpact.objects.filter(pk=incident.pk).first() or IncidentImpact()
    return {
        "summary": incident.business_impact,
        "computed_at": row.computed_at,
        "frozen_at": row.frozen_at,
        "error": row.error,
        "figures": row.figures,
        "services": row.services,
        "blast_radius": row.upstream,
        "breaches": breaches.of_incident(incident),
    }
