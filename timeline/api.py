"""REST: /api/incidents/{reference}/timeline: read, add, verify; never change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from accounts.serializers import ProblemSerializer
from incidents.api import actor_of, incident_of
from incidents.models import Incident
from timeline import pins
from timeline.images.attaching import NotAnImage, add_note
from timeline.images.models import NoteImage
from timeline.images.pages import answer
from timeline.links import link
from timeline.models import WRITTEN_BY_PEOPLE, TimelineEvent
from timeline.record import TimelineSealed, record
from timeline.serializers import (
    EventSerializer,
    LinkSerializer,
    NoteSerializer,
    PageSerializer,
    VerificationSerializer,
    WriteSerializer,
)
from timeline.union import events_of, filtered, following, own_events, with_pins
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
    kinds, sources = query.get("kind", ()), query.get("source", ())
    if not query["union"]:
        own = own_events(incident).filter(seq__gt=query["after_seq"])
        return with_pins(filtered(own, kinds, sources))
    return with_pins(filtered(_union(incident, query), kinds, sources))


def _union(incident: Incident, query: dict[str, Any]) -> QuerySet[TimelineEvent]:
    events = events_of(incident)
    if "after" not in query:
        return events
    last = events.filter(pk=query["after"]).first()
    if last is None:
        raise ValidationError({"after": "The timeline has no such event."})
    return following(events, last)


@contextmanager
def refused_when_sealed() -> Iterator[None]:
    try:
        yield
    except TimelineSealed as error:
        raise Problem(409, "timeline-sealed", str(error), sealed_at=error.sealed_at) from error


class Timeline(APIView):
    parser_classes = (JSONParser, MultiPartParser)

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
        """Append a note, a mitigation that was applied, or the correction of an event.

        A note with images comes as a form (multipart/form-data) with title, body and images.
        """
        incident = incident_of(reference)
        if "multipart/form-data" in (request.content_type or ""):
            return self._note(request, incident)
        body = WriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = dict(body.validated_data)
        wanted["corrects"] = corrected_event(incident, wanted.get("corrects"))
        with refused_when_sealed():
            event = record(
                incident_id=incident.pk,
                source=WRITTEN_BY_PEOPLE,
                actor=actor_of(request),
                **wanted,
            )
        return Response(EventSerializer(event).data, status=201)

    def _note(self, request: Request, incident: Incident) -> Response:
        form = NoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        with refused_when_sealed():
            try:
                event = add_note(
                    incident,
                    actor_of(request),
                    told["title"],
                    told["body"],
                    told["images"],
                    source=WRITTEN_BY_PEOPLE,
                )
            except NotAnImage as error:
                raise ValidationError({"images": str(error)}) from error
        return Response(EventSerializer(event).data, status=201)


def event_of(reference: str, seq: int) -> TimelineEvent:
    """That event of the incident's own timeline; Http404."""
    events = TimelineEvent.objects.select_related("incident", "actor")
    return get_object_or_404(events, incident=incident_of(reference), seq=seq)


class EventPin(APIView):
    @extend_schema(
        operation_id="incidents_timeline_pin",
        request=None,
        responses={200: EventSerializer, **PROBLEMS},
    )
    def post(self, request: Request, reference: str, seq: int) -> Response:
        """Pin an event to the top; nothing happens when it is pinned. Allowed after the seal."""
        event = event_of(reference, seq)
        pins.pin(event, actor_of(request))
        return Response(EventSerializer(event).data)

    @extend_schema(
        operation_id="incidents_timeline_unpin", responses={200: EventSerializer, **PROBLEMS}
    )
    def delete(self, request: Request, reference: str, seq: int) -> Response:
        """Take its pin off; nothing happens when it has none."""
        event = event_of(reference, seq)
        pins.unpin(event, actor_of(request))
        return Response(EventSerializer(event).data)


class EventLinks(APIView):
    @extend_schema(
        operation_id="incidents_timeline_link",
        request=LinkSerializer,
        responses={201: EventSerializer, **PROBLEMS, 409: ProblemSerializer},
    )
    def post(self, request: Request, reference: str, seq: int) -> Response:
        """Record that an event refers to another, or to an address."""
        event = event_of(reference, seq)
        body = LinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refused_when_sealed():
            try:
                made = link(
                    event,
                    body.validated_data["to"],
                    actor_of(request),
                    body.validated_data["note"],
                )
            except DjangoValidationError as error:
                raise ValidationError({"to": error.messages}) from error
        return Response(EventSerializer(made).data, status=201)


class EventImage(APIView):
    @extend_schema(
        operation_id="incidents_image",
        responses={(200, "image/*"): OpenApiTypes.BINARY, **PROBLEMS},
    )
    def get(self, request: Request, incident_id: UUID, image_id: UUID) -> HttpResponse:
        """The file of an image of a note."""
        return answer(get_object_or_404(NoteImage, pk=image_id, incident=incident_id))


class TimelineVerification(APIView):
    @extend_schema(
        operation_id="incidents_timeline_verify",
        responses={200: VerificationSerializer, **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> Response:
        """Whether the timeline is what was written, and the first event that is not."""
        return Response(VerificationSerializer(verify(incident_of(reference))).data)
