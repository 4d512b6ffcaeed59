"""Deliveries go a short way: a sender has no session, no form, no page and no browser."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, include, path, resolve
from django.utils.functional import cached_property

INTAKE = "api/intake/"


class Short:
    """The addresses of intake alone: looking through all of them takes as long as a write."""

    @cached_property
    def urlpatterns(self) -> list[object]:
        return [path(INTAKE, include("incidents.intake.urls"))]


SHORT = Short()


class ShortWayMiddleware:
    """Answers what is below /api/intake/ without the middleware that follows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # addresses without a token, which are few; one with a token is not kept
        self._matches: dict[str, ResolverMatch] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(f"/{INTAKE}"):
            return self.get_response(request)
        try:
            match = self._match(request.path_info)
        except Resolver404:
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        render = getattr(response, "render", None)
        if callable(render):
            response = render()
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _match(self, address: str) -> ResolverMatch:
        """Raises Resolver404."""
        match = self._matches.get(address)
        if match is None:
            match = resolve(address, SHORT)  # type: ignore[arg-type]  # any object does
            if not match.kwargs:
                self._matches[address] = match
        return match
