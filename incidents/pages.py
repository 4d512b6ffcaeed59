"""The board and the incident page, and the buttons on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from accounts.models import Role, User
from accounts.permissions import role_required
from accounts.problems import problem
from incidents import lifecycle, live, notices, viewpoints
from incidents.as_it_was import as_it_was
from incidents.board import board_page
from incidents.forms import BoardFilter, NewIncident, Resolution
from incidents.merges.survivors import survivor_of
from incidents.models import Incident, MaintenanceWindow, Service
from incidents.refusals import REFUSALS, page_problem


class PageRequest(HttpRequest):
    """What the middleware and `role_required` have made of a request."""

    htmx: HtmxDetails
    user: User


@require_GET
@role_required(Role.VIEWER)
def board(request: PageRequest) -> HttpResponse:
    """All incidents; an htmx request gets the list alone. A bad filter is a 400 that names it."""
    form = BoardFilter(request.GET)
    context: dict[str, Any] = {"form": form, "page": None, "status": 400}
    context["maintenance"] = MaintenanceWindow.objects.current(timezone.now())
    context["notices"] = notices.drawn()
    if form.is_valid():
        try:
            context |= {"page": board_page(**form.cleaned_data), "status": 200}
        except (ValueError, OverflowError):
            form.add_error("older", "This link to older incidents is not valid.")
    if request.htmx and not request.htmx.history_restore_request:
        template = "incidents/_board.html"
    else:
        template = "incidents/board.html"
        context["services"] = Service.objects.values_list("slug", flat=True).distinct()
    response = render(request, template, context, status=context["status"])
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@role_required(Role.VIEWER)
def incident(request: PageRequest, reference: str) -> HttpResponse:
    try:
        found = Incident.objects.by_reference(reference)
    except Incident.DoesNotExist:
        raise Http404(f"No incident {reference[:100]}") from None
    itself = "merged" in request.GET
    if found.merged_into is not None and not itself:
        survivor = survivor_of(found)
        said = '{} was merged into {}. <a href="{}?merged=1">See {} as it was</a>'
        source = found.reference
        where = found.get_absolute_url()
        messages.info(request, format_html(said, source, survivor.reference, where, source))
        return redirect(survivor)
    context = page_of(found, viewpoints.asked_for(found, request.GET))
    return render(request, "incidents/incident.html", context)


def page_of(found: Incident, as_of: datetime | None) -> dict[str, Any]:
    """What the incident's page is drawn from, as of now (None) or as it was known then."""
    shown = found if as_of is None else as_it_was(found, as_of)
    columns: dict[str, Any] = {"top": [], "main": [], "side": []}
    for panel in live.panels():
        columns[panel.column].append(live.render(panel, shown, as_of=as_of, oob=False))
    return {
        "incident": shown,
        "as_of": as_of,
        "survivor": survivor_of(found) if found.merged_into_id and as_of is None else None,
        **columns,
    }


@require_GET
@role_required(Role.VIEWER)
def poll(request: PageRequest, incident_id: UUID) -> HttpResponse:
    """204 while the page is current, else all panels and the poll's new address."""
    found = get_object_or_404(Incident.objects.select_related("merged_into"), pk=incident_id)
    if found.merged_into is None and request.GET.get("revision") == str(found.revision):
        return HttpResponse(status=204)
    return panels_answer(request, found)


def panels_answer(request: HttpRequest, found: Incident) -> HttpResponse:
    """Every panel as an out-of-band fragment: the page is current without its socket.

    The page of a merged incident is told where it went.
    """
    if found.merged_into is not None:
        return trigger_client_event(
            HttpResponse(status=204), "incident-moved", dict(live.moved(found))
        )
    fragments = [html for _name, html in live.snapshot(found)]
    context = {"incident": found, "fragments": fragments}
    return render(request, "incidents/_live.html", context)


ACTS = {
    "acknowledge": lifecycle.acknowledge,
    "mitigate": lifecycle.mitigate,
    "resolve": lifecycle.resolve,
    "reopen": lifecycle.reopen,
}


@require_POST
@role_required(Role.RESPONDER)
def act(request: PageRequest, incident_id: UUID, name: str) -> HttpResponse:
    """One step of the lifecycle; a step that is not allowed is a 409 in words."""
    details: dict[str, Any] = {}
    if name == "resolve":
        form = Resolution(request.POST)
        if not form.is_valid():
            return problem(400, "invalid", "Root cause and resolution are at most 10,000 letters.")
        details = {field: text for field, text in form.cleaned_data.items() if text}
    try:
        found = ACTS[name](
            incident_id=incident_id,
            actor=request.user,
            version=seen_version(request),
            **details,
        )
    except Incident.DoesNotExist:
        raise Http404("No such incident") from None
    except REFUSALS as error:
        return page_problem(error)
    return panels_answer(request, found)


def seen_version(request: HttpRequest) -> int | None:
    """The version that the pressed button was drawn for; None when it does not say."""
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def new_incident(request: PageRequest) -> HttpResponse:
    form = NewIncident(request.POST or None, initial={"service": request.GET.get("service")})
    duplicate = None
    if request.method == "POST" and form.is_valid():
        opened = lifecycle.open_incident(
            title=form.cleaned_data["title"],
            severity=form.cleaned_data["severity"],
            description=form.cleaned_data["description"],
            services=form.services(),
            actor=request.user,
            allow_duplicate=form.cleaned_data["allow_duplicate"],
        )
        if opened.created:
            return redirect(opened.incident)
        duplicate = opened
    return render(request, "incidents/new.html", {"form": form, "duplicate": duplicate})
