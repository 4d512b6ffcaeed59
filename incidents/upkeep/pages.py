"""The pages of maintenance windows."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from incidents.models import MaintenanceWindow
from incidents.pages import PageRequest
from incidents.upkeep import maintenance
from incidents.upkeep.forms import MaintenanceForm
from incidents.upkeep.listing import window_page

EXTENSION = timedelta(hours=1)


@require_GET
@role_required(Role.VIEWER)
def maintenance_windows(request: PageRequest) -> HttpResponse:
    """Windows that hold or will; `?over=1` those that are over."""
    over = request.GET.get("over") == "1"
    try:
        page = window_page(over=over, older=request.GET.get("older", ""))
    except (ValueError, OverflowError):
        raise Http404("This link to older windows is not valid.") from None
    return render(request, "incidents/maintenance_windows.html", {"page": page, "over": over})


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def new_window(request: PageRequest) -> HttpResponse:
    start = timezone.now().replace(second=0, microsecond=0)
    initial = {
        "starts_at": start,
        "ends_at": start + timedelta(hours=2),
        "time_zone": request.user.time_zone,
    }
    form = MaintenanceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        form.instance.created_by = request.user
        made = form.save()
        messages.success(request, f"The window {made.name} is saved.")
        return redirect("maintenance-windows")
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def edit_window(request: PageRequest, window_id: UUID) -> HttpResponse:
    window = get_object_or_404(MaintenanceWindow, pk=window_id)
    form = MaintenanceForm(request.POST or None, instance=window)
    if request.method == "POST" and form.is_valid():
        try:
            maintenance.changeable(MaintenanceWindow.objects.get(pk=window_id))
        except maintenance.WindowOver as error:
            form.add_error(None, str(error))
        else:
            form.save()
            messages.success(request, f"The window {window.name} is saved.")
            return redirect("maintenance-windows")
    return _form(request, form, window)


@require_POST
@role_required(Role.RESPONDER)
def cancel_window(request: PageRequest, window_id: UUID) -> HttpResponse:
    """End it now; what it held back and still fires opens its incident."""
    try:
        window = maintenance.cancel(window_id=window_id, actor=request.user)
    except MaintenanceWindow.DoesNotExist:
        raise Http404("No such window") from None
    except maintenance.WindowOver as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The window {window.name} is over.")
    return redirect("maintenance-windows")


@require_POST
@role_required(Role.RESPONDER)
def extend_window(request: PageRequest, window_id: UUID) -> HttpResponse:
    """An hour longer."""
    window = get_object_or_404(MaintenanceWindow, pk=window_id)
    try:
        window = maintenance.extend(window_id=window_id, ends_at=window.ends_at + EXTENSION)
    except maintenance.WindowOver as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The window {window.name} ends an hour later.")
    return redirect("maintenance-windows")


def _form(
    request: PageRequest, form: MaintenanceForm, window: MaintenanceWindow | None
) -> HttpResponse:
    context = {"form": form, "window": window}
    status = 422 if form.is_bound else 200
    return render(request, "incidents/maintenance_form.html", context, status=status)
