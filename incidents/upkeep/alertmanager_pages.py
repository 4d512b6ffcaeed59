"""The pages of the Alertmanagers that are read: how each does, and the form of one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.permissions import role_required
from incidents.models import Alertmanager
from incidents.pages import PageRequest
from incidents.upkeep import reconcile
from incidents.upkeep.sender_forms import AlertmanagerForm

MOST_ROWS = 200


@require_GET
@role_required(Role.VIEWER)
def alertmanagers(request: PageRequest) -> HttpResponse:
    """Each Alertmanager that is read, and how the last reading went."""
    rows = Alertmanager.objects.select_related("source").order_by("source__slug", "url")
    return render(request, "incidents/alertmanagers.html", {"rows": rows[:MOST_ROWS]})


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    form = AlertmanagerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, f"The Alertmanager {made.url} is saved, and read from now on.")
        return redirect("alertmanagers")
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, alertmanager_id: UUID) -> HttpResponse:
    found = get_object_or_404(Alertmanager.objects.select_related("source"), pk=alertmanager_id)
    url = found.url  # the form writes what was typed into the row
    form = AlertmanagerForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"The Alertmanager {found.url} is saved.")
        return redirect("alertmanagers")
    return _form(request, form, url)


@require_POST
@role_required(Role.ADMIN)
def remove(request: PageRequest, alertmanager_id: UUID) -> HttpResponse:
    """Delete it; one that the environment names stays."""
    found = get_object_or_404(Alertmanager, pk=alertmanager_id)
    if found.follows_environment:
        messages.error(request, "It follows ALERTMANAGER_URL: unset that, or disable it.")
    else:
        found.delete()
        messages.success(request, f"The Alertmanager {found.url} is read no longer.")
    address = reverse("alertmanagers")
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@require_POST
@role_required(Role.RESPONDER)
def read(request: PageRequest, alertmanager_id: UUID) -> HttpResponse:
    """Read all Alertmanagers of its source now and say what came of it."""
    row = get_object_or_404(Alertmanager.objects.select_related("source"), pk=alertmanager_id)
    outcome = reconcile.reconcile(row.source)
    if outcome is None:
        messages.error(request, "It is disabled, or being read at this moment.")
    elif outcome.unread:
        messages.error(
            request,
            f"{outcome.unread} of {outcome.read + outcome.unread} did not answer: "
            "nothing was closed.",
        )
    else:
        messages.success(
            request,
            f"Read: {outcome.closed} closed, {outcome.suppressed} suppressed, "
            f"{outcome.taken_in} taken in.",
        )
    return redirect("alertmanagers")


def _form(request: PageRequest, form: AlertmanagerForm, url: str | None) -> HttpResponse:
    """`url` is the address it has so far, None of a new one."""
    context = {"form": form, "url": url, "server": form.instance}
    status = 422 if form.is_bound else 200
    return render(request, "incidents/alertmanager_form.html", context, status=status)
