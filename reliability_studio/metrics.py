"""GET /metrics: the product's own metrics in Prometheus' text format, and who may read them.

What the installation is doing comes from the database: the same in every process. HTTP requests
are counted by the processes that serve them.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import REGISTRY, CollectorRegistry, exposition
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication
from accounts.models import ApiToken, MachineUser, Scope
from reliability_studio.installation import InstallationCollector


class Everything(Collector):
    """What one scrape reads: this process or its siblings, then the installation."""

    def collect(self) -> Iterator[Metric]:
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            siblings = CollectorRegistry()
            MultiProcessCollector(siblings)
            yield from siblings.collect()
        else:
            yield from REGISTRY.collect()
        yield from InstallationCollector().collect()


class ScrapeToken(BaseAuthentication):
    """METRICS_TOKEN, which reads metrics and nothing else; other bearers are not judged here."""

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="metrics"'

    def authenticate(self, request: Request) -> tuple[MachineUser, ApiToken] | None:
        expected = settings.METRICS_TOKEN
        scheme, _, given = get_authorization_header(request).partition(b" ")
        if not expected or scheme.lower() != b"bearer":
            return None
        if not hmac.compare_digest(given.strip(), expected.encode()):
            return None
        token = ApiToken(name="METRICS_TOKEN", scopes=[Scope.READ.value])
        return MachineUser(token), token


class AnyFormat(BaseContentNegotiation):
    """There is one format, whatever the scraper prefers; errors are problem+json as elsewhere."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class MetricsView(APIView):
    """GET /metrics: for METRICS_TOKEN, an API token with the scope read, or who is signed in."""

    authentication_classes = [ScrapeToken, BearerAuthentication, SessionAuthentication]
    content_negotiation_class = AnyFormat

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(
            exposition.generate_latest(Everything()),
            content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4,
            headers={"Cache-Control": "no-store"},
        )


metrics = MetricsView.as_view()
