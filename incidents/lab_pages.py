"""The failure lab's page: faults to start and stop. 404 where no lab runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role, User
from accounts.permissions import View, role_required
from incidents import lab, lab_inbox
from incidents.forms import CustomFailure
from incidents.lifecycle import Opened


def where_lab_runs(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.LAB_URL:
            raise Http404("No failure lab runs here.")
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@role_required(Role.RESPONDER)
@where_lab_runs
def show(request: HttpRequest) -> HttpResponse:
    return _page(request, CustomFailure())


@require_POST
@role_required(Role.RESPONDER)
@where_lab_runs
def start(request: HttpRequest, fault_id: str) -> HttpResponse:
    return _told(request, lambda: lab.start(fault_id), "Fault started. Watch the board.")


@require_POST
@role_required(Role.RESPONDER)
@where_lab_runs
def stop(request: HttpRequest, fault_id: str) -> HttpResponse:
    return _told(request, lambda: lab.stop(fault_id), "Fault stopped.")


@require_POST
@role_required(Role.RESPONDER)
@where_lab_runs
def stop_all(request: HttpRequest) -> HttpResponse:
    return _told(request, lab.stop_all, "All faults stopped.")


@require_POST
@role_required(Role.RESPONDER)
@where_lab_runs
def fail(request: HttpRequest) -> HttpResponse:
    form = CustomFailure(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    service = form.cleaned_data["service"]
    try:
        opened = lab.break_service(
            service=service, failure=form.failure(), actor=cast(User, request.user)
        )
    except (lab.LabUnavailable, lab.LabRefused) as error:
        messages.error(request, str(error))
        return redirect("lab")
    messages.success(request, f"Failure started at {service.slug}. {_consequence(opened)}".strip())
    return redirect("lab")


def _consequence(opened: Opened | None) -> str:
    if opened is None:
        return ""
    done = "was opened" if opened.created else "is open for it"
    return f"{opened.incident.reference} {done}."


def _page(request: HttpRequest, form: CustomFailure, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "faults": [], "unavailable": ""}
    try:
        context["faults"] = lab.faults()
    except (lab.LabUnavailable, lab.LabRefused) as error:
        context["unavailable"] = str(error)
        status = 503
    else:
        context["inbox"] = _inbox()
    context["any_active"] = any(fault.get("active") for fault in context["faults"])
    return render(request, "incidents/lab.html", context, status=status)


def _inbox() -> list[lab_inbox.Letter] | None:
    """None for a lab that has none, such as an older one."""
    try:
        return lab_inbox.letters(lab.inbox())
    except (lab.LabUnavailable, lab.LabRefused):
        return None


def _told(request: HttpRequest, order: Callable[[], Any], done: str) -> HttpResponse:
    """Give the lab an order and say on the next page how it went."""
    try:
        order()
    except (lab.LabUnavailable, lab.LabRefused) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("lab")
