"""Where senders deliver: a durable write, then 202. Tokens need the scope `intake`."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from incidents.catalogue_api import record_told
from incidents.intake import alertmanager as wire
from incidents.intake import alerts, grouping
from incidents.serializers import ChangeSerializer

DEFAULT_SOURCE = "alertmanager"


class AlertmanagerView(APIView):
    """Alertmanager's webhook v4, each alert by its own status; sending again changes nothing."""

    required_scope = "intake"

    @extend_schema(request=dict, responses={202: dict})
    def post(self, request: Request) -> Response:
        raw = _read(request)
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
        source = alerts.source_of(_source_slug(request), "alertmanager")
        text = raw.decode(errors="replace").replace("\x00", "")
        try:
            received = wire.parse(body)
        except wire.Unacceptable as error:
            # a 4xx would be sent again at every interval: keep it, show it, accept it
            delivery = alerts.reject(source, text, str(error))
            return _accepted(delivery.pk, 0, rejected=str(error))
        with transaction.atomic():
            delivery = alerts.store(source, text, received)
            grouping.wake(delivery.pk)
        return _accepted(delivery.pk, len(received))


class ChangesView(APIView):
    """One change: {service, kind deploy|commit|config|flag|scale, at, title?, ref, diff, ...}."""

    required_scope = "intake"

    @extend_schema(request=ChangeSerializer, responses={202: ChangeSerializer})
    def post(self, request: Request) -> Response:
        data = dict(request.data) if isinstance(request.data, dict) else {}
        data.setdefault("title", data.get("description") or data.get("ref") or "Change")
        recorded = record_told(data, "intake")
        return Response(ChangeSerializer(recorded.change).data, status=status.HTTP_202_ACCEPTED)


def _read(request: Request) -> bytes:
    """The raw body; 413 on Content-Length alone, unread."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.INTAKE_MAX_BYTES:
        raise Problem(
            413, "body-too-large", f"The body is larger than {settings.INTAKE_MAX_BYTES} bytes."
        )
    return bytes(request._request.body)


def _source_slug(request: Request) -> str:
    slug = request.query_params.get("source", DEFAULT_SOURCE)
    if not (slug.replace("-", "").replace("_", "").isalnum() and slug.isascii() and len(slug) < 64):
        raise ValidationError({"source": ["Use letters, digits, dashes and underscores."]})
    return slug


def _accepted(delivery_id: Any, stored: int, **more: str) -> Response:
    body = {"delivery": str(delivery_id), "alerts": stored, **more}
    return Response(body, status=status.HTTP_202_ACCEPTED)


alertmanager = AlertmanagerView.as_view()
changes = ChangesView.as_view()
