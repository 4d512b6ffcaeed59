"""The buttons on an SLO's page: switch it, exclude a span, take that back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.permissions import role_required
from incidents.pages import PageRequest
from slos import corrections, keeping
from slos.models import SLO, SLOCorrection
from slos.pages.correction_form import CorrectionForm
from slos.pages.one import page_of


@require_POST
@role_required(Role.ADMIN)
def switch(request: PageRequest, name: str) -> HttpResponse:
    """Begin or stop evaluating it (`enabled` is 1 or 0)."""
    row = _row(name)
    enabled = request.POST.get("enabled") == "1"
    # whoever switches it on again need not mend its source first: the evaluation says what is wrong
    try:
        kept = keeping.change(row, {"enabled": enabled}, accept_no_data=True)
    except keeping.Refused as refused:
        messages.error(request, f"It stays disabled. {refused}")
    else:
        for warning in kept.warnings:
            messages.warning(request, warning)
        done = "evaluated again" if enabled else "disabled; its history stays"
        messages.success(request, f"{row} is {done}.")
    return _back(request, row)


@require_POST
@role_required(Role.RESPONDER)
def correct(request: PageRequest, name: str) -> HttpResponse:
    row = _row(name)
    form = CorrectionForm(request.POST, user=request.user)
    if not form.is_valid():
        return _page(request, row, correction_form=form)
    try:
        corrections.add(row, author=request.user, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, row, correction_form=form)
    messages.success(request, "The span is excluded; the budget follows within a minute.")
    return _back(request, row)


@require_POST
@role_required(Role.RESPONDER)
def withdraw(request: PageRequest, name: str, correction: UUID) -> HttpResponse:
    row = _row(name)
    found = get_object_or_404(SLOCorrection, pk=correction, slo=row)
    reason = request.POST.get("reason", "").strip()[:1000]
    if not reason:
        return _page(request, row, withdrawing=found.pk)
    try:
        corrections.withdraw(found, by=request.user, reason=reason)
    except corrections.Withdrawn:
        messages.warning(request, "It was withdrawn already.")
    else:
        messages.success(request, "It counts again; the budget follows within a minute.")
    return _back(request, row)


def _row(name: str) -> SLO:
    return get_object_or_404(SLO.objects.select_related("service", "data_source"), name=name)


def _page(request: PageRequest, row: SLO, **more: Any) -> HttpResponse:
    context = {**page_of(row, request), **more}
    return render(request, "slos/slo.html", context, status=422)


def _back(request: PageRequest, row: SLO) -> HttpResponse:
    address = reverse("slo", args=[row.name])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
