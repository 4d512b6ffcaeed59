"""The plot of one correlation as an SVG file."""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from correlation.models import Correlation
from correlation.plots.drawing import drawing_of
from correlation.plots.evidence_subject import subject_of
from correlation.plots.image import THEMES, image, style_hash
from incidents.api import incident_of

FRESH_SECONDS = 300


class OneRenderer(BaseContentNegotiation):
    """An <img> asks for images and gets one whatever it says; refusals stay JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class PlotView(APIView):
    """The evidence over time: values, usual range, onset and incident start, as an image.

    It never changes but for the incident's start: cached for five minutes, then by its ETag.
    """

    content_negotiation_class = OneRenderer

    @extend_schema(
        operation_id="correlation_plot",
        parameters=[
            OpenApiParameter(
                "theme",
                str,
                enum=list(THEMES),
                description="Its colours; `auto` (the default) follows the reader's system.",
            )
        ],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR},
    )
    def get(self, request: Request, reference: str, correlation: uuid.UUID) -> HttpResponseBase:
        theme = request.query_params.get("theme", "auto")
        if theme not in THEMES:
            raise ValidationError({"theme": [f"Choose one of {', '.join(THEMES)}."]})
        incident = incident_of(reference)
        rows = Correlation.objects.filter(analysis__incident=incident)
        row = rows.filter(pk=correlation).first()
        drawing = drawing_of(subject_of(row, incident)) if row else None
        if drawing is None:
            raise Http404("There is no plot of that.")
        return _answer(request, image(drawing, theme), theme)


def _answer(request: Request, svg: str, theme: str) -> HttpResponseBase:
    etag = f'"{blake2b(svg.encode(), digest_size=12).hexdigest()}"'
    answer = HttpResponse(svg, "image/svg+xml")
    answer["ETag"] = etag
    answer["Cache-Control"] = f"private, max-age={FRESH_SECONDS}"
    answer = get_conditional_response(request._request, etag=etag, response=answer) or answer
    answer["Content-Security-Policy"] = f"default-src 'none'; style-src {style_hash(theme)}"
    return answer
