"""The page of the maps that alerts are read through: of the installation, or of one source."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from incidents.alert_rules import edits
from incidents.alert_rules.forms import AlertReadingForm
from incidents.intake.reading import SHIPPED
from incidents.models import AlertReading, AlertSource
from incidents.pages import PageRequest

AS_SHIPPED = {
    "service_steps": list(SHIPPED.steps),
    "severity_labels": list(SHIPPED.severity_labels),
    "severity_values": dict(SHIPPED.severity_values),
    "severity_default": SHIPPED.severity_default,
}


@require_GET
@role_required(Role.VIEWER)
def reading(request: PageRequest) -> HttpResponse:
    """The maps of the installation, or of the source that `?source=` names."""
    scope = request.GET.get("source", "")
    row = _row(scope)
    initial = AS_SHIPPED if row is None and not scope else None
    form = AlertReadingForm(instance=row or AlertReading(scope=scope), initial=initial)
    return _page(request, form, scope, row)


@require_POST
@role_required(Role.ADMIN)
def save_reading(request: PageRequest) -> HttpResponse:
    """Save the maps of `?source=`, or of the installation; `remove` gives them up."""
    scope = request.GET.get("source", "")
    row = _row(scope)
    if "remove" in request.POST:
        AlertReading.objects.filter(scope=scope).delete()
        messages.success(request, "What holds otherwise has its place back.")
        return _back(scope)
    form = AlertReadingForm(request.POST, instance=row or AlertReading(scope=scope))
    if form.is_valid():
        if edits.save_form(form):
            messages.success(request, "The maps are saved; they hold from the next alert on.")
            return _back(scope)
        form.add_error(None, edits.OVERTAKEN)
    return _page(request, form, scope, row, status=422)


def _row(scope: str) -> AlertReading | None:
    if scope:
        get_object_or_404(AlertSource, slug=scope)
    return AlertReading.objects.filter(scope=scope).first()


def _back(scope: str) -> HttpResponse:
    return redirect(reverse("alert-reading") + (f"?source={scope}" if scope else ""))


def _page(
    request: PageRequest,
    form: AlertReadingForm,
    scope: str,
    row: AlertReading | None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "row": row,
        "scope": scope,
        "sources": AlertSource.objects.order_by("slug").values_list("slug", flat=True),
        "own": set(AlertReading.objects.values_list("scope", flat=True)),
    }
    return render(request, "incidents/alert_reading.html", context, status=status)
