"""The pages of heartbeats: their series, and the form of one."""

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
from incidents.models import Heartbeat
from incidents.pages import PageRequest
from incidents.upkeep import heartbeats
from incidents.upkeep.heartbeats import Beating
from incidents.upkeep.sender_forms import HeartbeatForm

MOST_ROWS = 200


@require_GET
@role_required(Role.VIEWER)
def heartbeats_page(request: PageRequest) -> HttpResponse:
    """Each heartbeat with its series."""
    rows = Heartbeat.objects.select_related("source").prefetch_related(heartbeats.with_pulses())
    shown = [(heartbeat, Beating.of(heartbeat)) for heartbeat in rows[:MOST_ROWS]]
    return render(request, "incidents/heartbeats.html", {"rows": shown})


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    form = HeartbeatForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, f"The heartbeat {made.name} is saved.")
        return redirect("heartbeats")
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, heartbeat_id: UUID) -> HttpResponse:
    found = get_object_or_404(Heartbeat.objects.select_related("source"), pk=heartbeat_id)
    name = found.name  # the form writes what was typed into the row
    form = HeartbeatForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"The heartbeat {found.name} is saved.")
        return redirect("heartbeats")
    return _form(request, form, name)


@require_POST
@role_required(Role.ADMIN)
def switch(request: PageRequest, heartbeat_id: UUID) -> HttpResponse:
    """Watch for its silence or not (`enabled` is 1 or 0)."""
    heartbeat = get_object_or_404(Heartbeat, pk=heartbeat_id)
    heartbeat.enabled = request.POST.get("enabled") == "1"
    heartbeat.save(update_fields=["enabled"])
    told = "is watched" if heartbeat.enabled else "may fall silent"
    messages.success(request, f"The heartbeat {heartbeat.name} {told}.")
    return redirect("heartbeats")


@require_POST
@role_required(Role.ADMIN)
def remove(request: PageRequest, heartbeat_id: UUID) -> HttpResponse:
    """Delete it: its alerts open incidents from now on, as others do."""
    found = get_object_or_404(Heartbeat, pk=heartbeat_id)
    found.delete()
    messages.success(request, f"The heartbeat {found.name} is deleted.")
    address = reverse("heartbeats")
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _form(request: PageRequest, form: HeartbeatForm, name: str | None) -> HttpResponse:
    """`name` is what the heartbeat is called so far, None of a new one."""
    context = {"form": form, "name": name, "heartbeat": form.instance}
    status = 422 if form.is_bound else 200
    return render(request, "incidents/heartbeat_form.html", context, status=status)
