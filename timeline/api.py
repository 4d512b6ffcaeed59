"""REST: /api/incidents/{reference}/timeline: read, add, verify; never change."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from accounts.serializers import ProblemSerializer
from incidents.api import actor_of, incident_of
from incidents.models import Incident
from timeline.models import WRITTEN_BY_PEOPLE, TimelineEvent
from timeline.record import TimelineSealed, record
from timeline.serializers import (
    EventSerializer,
    PageSerializer,
    VerificationSerializer,
    WriteSerializer,
)
from timeline.union import events_of, following, own_events
from timeline.verify import verify

PROBLEMS = dict.fromkeys((400, 401, 403, 404), ProblemSerializer)


def corrected_event(incident: Incident, seq: int | None) -> TimelineEvent | None:
    if seq is None:
        return None
    event = TimelineEvent.objects.filter(incident=incident, seq=seq).first()
    if event is None:
        raise ValidationError({"corrects": f"The timeline has no event {seq}."})
    return event


def asked_for(incident: Incident, query: dict[str, Any]) -> QuerySet[TimelineEvent]:
    if not query["union"]:
        return own_events(incident).filter(seq__gt=query["after_seq"])
    events = events_of(incident)
    if "after" not in query:
        return events
    last = events.filter(pk=query["after"]).first()
    if last is None:
        raise ValidationError({"after": "The timeline has no such event."})
    return following(events, last)


class Timeline(APIView):
    @extend_schema(
        operation_id="incidents_timeline_list",
        parameters=[PageSerializer],
        responses={200: EventSerializer(many=True), **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> Response:
        """Events oldest first, as a bare array."""
        query = PageSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = asked_for(incident_of(reference), query.validated_data)
        events = page.select_related("actor", "corrects")[: query.validated_data["limit"]]
        return Response(EventSerializer(events, many=True).data)

    @extend_schema(
        operation_id="incidents_timeline_create",
        request=WriteSerializer,
        responses={201: EventSerializer, **PROBLEMS, 409: ProblemSerializer},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Append a note, a mitigation that was applied, or the correction of an event."""
        incident = incident_of(reference)
        body = WriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = dict(body.validated_data)
        wanted["corrects"] = corrected_event(incident, wanted.get("corrects"))
        try:
            event = record(
                incident_id=incident.pk,
                source=WRITTEN_BY_PEOPLE,
                actor=actor_of(request),
                **wanted,
            )
        except TimelineSealed as error:
            raise Problem(409, "timeline-sealed", str(error), sealed_at=error.sealed_at) from error
        return Response(EventSerializer(event).data, status=201)


class TimelineVerification(APIView):
    @extend_schema(
        operation_id="incidents_timeline_verify",
        responses={200: VerificationSerializer, **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> Response:
        """Whether the timeline is what was written, and the first event that is not."""
        return Response(VerificationSerializer(verify(incident_of(reference))).data)
