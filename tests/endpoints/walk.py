"""The addresses of the URL conf that answer GET, with what stands in their angle brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from tests.endpoints.rows import Kept

ELSEWHERE = (
    "admin/",  # Django's own lists
    "api/auth/",
    "api/intake/",
    "api/schema",
    "api/docs",
    "api/<path:rest>",
    "health",
    "metrics",
    "lab",  # another process's state
    "register",  # closed
    "datasources/<slug:slug>/doctor",  # reads telemetry while it answers
    "incidents/<uuid:incident_id>/images/",  # files, of which rows are not enough
    "api/incidents/<uuid:incident_id>/images/",
    "api/incidents/<str:reference>/correlations/<uuid:correlation>/plot.svg",  # one row's drawing
)
"""Not lists of ours: other people's, or not read with GET."""


EXPORTS = "/export"
"""Downloads of everything; each writes into the audit that it was made."""

NAMED = (
    # where in the route, name in brackets, model, field
    ("", "reference", "incidents.Incident", "number"),
    ("", "incident_id", "incidents.Incident", "pk"),
    ("", "proposal_id", "incidents.MergeProposal", "pk"),
    ("", "delivery_id", "incidents.Delivery", "pk"),
    ("", "window_id", "incidents.MaintenanceWindow", "pk"),
    ("", "heartbeat_id", "incidents.Heartbeat", "pk"),
    ("", "alertmanager_id", "incidents.Alertmanager", "pk"),
    ("/alerts/rules/", "rule_id", "incidents.GroupingRule", "pk"),
    ("/alerts/sources/", "slug", "incidents.AlertSource", "slug"),
    ("/services/", "slug", "incidents.Service", "slug"),
    ("/datasources/", "slug", "correlation.DataSource", "slug"),
    ("rules/", "name", "correlation.CorrelationRule", "name"),
    ("/profile/tokens/", "pk", "accounts.ApiToken", "pk"),
    ("/notifications/rules/", "rule_id", "incidents.NotificationRule", "pk"),
    ("/notifications/sent/", "key", "incidents.NotificationDelivery", "key"),
    ("/events/", "seq", "timeline.TimelineEvent", "seq"),
    ("/timeline/", "seq", "timeline.TimelineEvent", "seq"),
    ("/correlations/", "correlation", "correlation.Correlation", "pk"),
    ("/corrections/", "correction", "slos.SLOCorrection", "pk"),
    ("slos/", "slo", "slos.SLO", "name"),
    ("slos/", "correction", "slos.SLOCorrection", "pk"),
    ("/slos/", "name", "slos.SLO", "name"),
)

WORDS = {"step": "publish", "act": "drop", "scope": "opened"}
"""Brackets that are no row of ours."""


class Unknown(Exception):
    """A bracket of a route that nobody said how to fill."""


@dataclass(frozen=True)
class Address:
    """`route` as the URL conf has it, `callback` its view."""

    route: str
    callback: Any
    defaults: tuple[tuple[str, Any], ...]

    @property
    def reads(self) -> bool:
        """False for views that say themselves that they take no GET."""
        actions = getattr(self.callback, "actions", None)
        if actions is not None:
            return "get" in actions
        view = getattr(self.callback, "cls", None) or getattr(self.callback, "view_class", None)
        return view is None or hasattr(view, "get")

    def filled(self, kept: Kept) -> str:
        """The address of the first rows. Raises Unknown for brackets nobody can fill."""
        parts = []
        for part in self.route.split("<"):
            name, bracket, rest = part.partition(">")
            parts.append(self._value(name.rpartition(":")[2], kept) + rest if bracket else part)
        return "/" + "".join(parts)

    def _value(self, name: str, kept: Kept) -> str:
        view = getattr(self.callback, "cls", None)
        queryset = getattr(view, "queryset", None)
        if queryset is not None and view is not None and queryset.model in kept:
            field = view.lookup_field
            if name == (view.lookup_url_kwarg or field) and hasattr(queryset.model, field):
                return str(getattr(kept[queryset.model][0], field))
        for place, wanted, label, field in NAMED:
            if name == wanted and place in f"/{self.route}":
                return str(getattr(kept[apps.get_model(label)][0], field))
        label = name.removesuffix("_id").replace("_", "")
        for model, rows in kept.items():
            # channel_id is a NotificationChannel, image_id a NoteImage
            if name.endswith("_id") and rows and model.__name__.lower().endswith(label):
                return str(rows[0].pk)
        if name in WORDS:
            return WORDS[name]
        raise Unknown(f"say in NAMED of {__name__} what {name!r} of {self.route} is")


def addresses() -> Iterator[Address]:
    """Every address of ours that may be read, as the URL conf orders them."""
    for found in _below(get_resolver(), ""):
        if found.route.startswith(ELSEWHERE) or EXPORTS in found.route or not found.reads:
            continue
        yield found


def _below(resolver: URLResolver, before: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield Address(route, pattern.callback, tuple(pattern.default_args.items()))


def of_the_api() -> dict[str, Address]:
    """The addresses of the API, brackets left empty: /api/services/{}."""
    found = {}
    for address in _below(get_resolver(), ""):
        if address.route.startswith("api/"):
            found[f"/{re.sub('<[^>]*>', '{}', address.route)}"] = address
    return found
