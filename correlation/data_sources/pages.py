"""The pages of the data sources: how each has been doing, and the button that asks it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from correlation.data_sources.breaker import health_of
from correlation.data_sources.catalogue import ENVIRONMENT, check_now
from correlation.explaining.explore import public_address
from correlation.models import DataSource, SourceHealth
from correlation.sources import KIND_NAMES
from incidents.models import Service
from incidents.pages import PageRequest


@dataclass(frozen=True)
class Row:
    """One data source as the page shows it.

    `state` is one of disabled, never_asked, healthy, failing, open, half_open; `words` say it.
    """

    source: DataSource
    health: SourceHealth
    state: str
    words: str
    address: str

    @property
    def kind(self) -> str:
        return KIND_NAMES.get(self.source.kind, self.source.kind)

    @property
    def erred_last(self) -> bool:
        """Whether the newest that is known of it is an error."""
        return self.state in ("failing", "open", "half_open")


@dataclass(frozen=True)
class Place:
    """An environment with its data sources and the kinds it has none of: [(name, variable)]."""

    environment: str
    rows: tuple[Row, ...]
    lacking: tuple[tuple[str, str], ...]


def row_of(source: DataSource) -> Row:
    health = health_of(source)
    state, words = standing(source, health)
    return Row(source, health, state, words, address(source))


def standing(source: DataSource, health: SourceHealth) -> tuple[str, str]:
    """(state, its words) from the rows alone."""
    if not source.enabled:
        return "disabled", "disabled"
    if not (health.last_success_at or health.last_error_at):
        return "never_asked", "never asked"
    if health.state == SourceHealth.State.OPEN:
        return "open", "breaker open"
    if health.state == SourceHealth.State.HALF_OPEN:
        return "half_open", "breaker half-open"
    if _later(health.last_error_at, health.last_success_at):
        return "failing", "failing"
    return "healthy", "healthy"


def address(source: DataSource) -> str:
    """Where it is, for every viewer's eyes: no credentials and no paths of this machine."""
    if source.url:
        return public_address(source.url) or "not a web address"
    if source.kind != DataSource.Kind.KUBERNETES:
        return "no address is set"
    where = "from a kubeconfig" if source.kubeconfig else "in-cluster credentials"
    return f"{where}, context {source.context}" if source.context else where


def places(sources: Sequence[DataSource], environments: Sequence[str]) -> list[Place]:
    """The environments in name order, each with its sources, also those that have none."""
    found = []
    for environment in sorted({*environments, *(s.environment for s in sources)}):
        own = [source for source in sources if source.environment == environment]
        known = {source.kind for source in own}
        lacking = tuple(
            (name, ENVIRONMENT[DataSource.Kind(kind)])
            for kind, name in KIND_NAMES.items()
            if kind not in known
        )
        found.append(Place(environment, tuple(map(row_of, own)), lacking))
    return found


@require_GET
@role_required(Role.VIEWER)
def data_sources(request: PageRequest) -> HttpResponse:
    """All data sources by environment; an htmx request gets the list alone."""
    return _list(request, whole=not request.htmx or bool(request.htmx.history_restore_request))


@require_GET
@role_required(Role.VIEWER)
def data_source(request: PageRequest, slug: str) -> HttpResponse:
    """One data source; an htmx request gets its health alone."""
    whole = not request.htmx or bool(request.htmx.history_restore_request)
    return _one(request, slug, whole=whole)


@require_POST
@role_required(Role.RESPONDER)
def check(request: PageRequest, slug: str) -> HttpResponse:
    """Ask the source now and show how it did, on whichever of the two pages asked."""
    check_now(get_object_or_404(DataSource, slug=slug))
    if request.htmx.target == "data-source":
        return _one(request, slug, whole=False)
    return _list(request, whole=False)


def _list(request: PageRequest, *, whole: bool) -> HttpResponse:
    sources = list(DataSource.objects.select_related("health"))
    environments = Service.objects.order_by().values_list("environment", flat=True).distinct()
    context = {
        "places": places(sources, list(environments) if sources else []),
        "kinds": [(name, ENVIRONMENT[DataSource.Kind(kind)]) for kind, name in KIND_NAMES.items()],
        "now": timezone.now(),
    }
    return _answer(request, "data_sources", context, whole=whole)


def _one(request: PageRequest, slug: str, *, whole: bool) -> HttpResponse:
    source = get_object_or_404(DataSource.objects.select_related("health"), slug=slug)
    context = {
        "row": row_of(source),
        "grafana": public_address(source.grafana_url),
        "now": timezone.now(),
    }
    return _answer(request, "data_source", context, whole=whole)


def _answer(
    request: PageRequest, name: str, context: dict[str, Any], *, whole: bool
) -> HttpResponse:
    template = f"correlation/{name}.html" if whole else f"correlation/_{name}.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)
