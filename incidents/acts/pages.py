"""The dialogs of the incident page: a GET is the form as things stand, a POST does the act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role, User
from accounts.permissions import role_required
from accounts.problems import problem
from incidents import archiving, closing, lifecycle
from incidents.acts import forms
from incidents.models import Incident, IncidentRole
from incidents.pages import PageRequest, panels_answer
from incidents.people import roles
from incidents.refusals import REFUSALS, page_problem


@dataclass(frozen=True)
class Act:
    """`do(incident_id=, actor=, version=, **form.values())` writes it."""

    title: str
    button: str
    form: type[forms.ActForm]
    do: Callable[..., object]
    note: str = ""


ACTS = {
    "mitigate": Act("Mark mitigated", "Mark mitigated", forms.MitigateForm, lifecycle.mitigate),
    "resolve": Act(
        "Resolve",
        "Resolve incident",
        forms.ResolveForm,
        lifecycle.resolve,
        "Resolving seals the timeline and fixes the time to resolve. Both fields may stay empty.",
    ),
    "reopen": Act(
        "Reopen",
        "Reopen incident",
        forms.ReopenForm,
        lifecycle.reopen,
        "Reopening lifts the seal of the timeline; that is on the record too.",
    ),
    "close": Act(
        "Close without a failure",
        "Close incident",
        forms.CloseForm,
        closing.close_as,
        "It is resolved and sealed, and counts in no statistics.",
    ),
    "archive": Act(
        "Archive",
        "Archive incident",
        forms.ReasonForm,
        archiving.archive,
        "It leaves the board. Lists, searches and statistics keep it.",
    ),
    "times": Act(
        "Correct the times",
        "Correct",
        forms.TimesForm,
        lifecycle.patch,
        "The old times stay on the record. Durations count from the corrected ones.",
    ),
    "edit": Act("Edit", "Save", forms.EditForm, lifecycle.patch),
    "services": Act("Affected services", "Save", forms.ServicesForm, lifecycle.patch),
    "role": Act(
        "Give a role",
        "Give the role",
        forms.RoleForm,
        roles.assign,
        "A commander takes over from the one before.",
    ),
}


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def dialog(request: PageRequest, incident_id: UUID, name: str) -> HttpResponse:
    """One act; what is refused is told in words, and the form keeps what was typed."""
    found = get_object_or_404(Incident, pk=incident_id)
    act = ACTS[name]
    with timezone.override(zone_of(request.user)):
        form = act.form(found, request.POST if request.method == "POST" else None)
        if request.method == "GET":
            context = {"incident": found, "act": act, "form": form, "action": request.path}
            return render(request, "incidents/_dialog.html", context)
        if not form.is_valid():
            return problem(400, "invalid", spoken(form), errors=form.errors.get_json_data())
    return answered(
        request,
        incident_id,
        lambda: act.do(
            incident_id=incident_id,
            actor=request.user,
            version=form.cleaned_data["version"],
            **form.values(),
        ),
    )


@require_POST
@role_required(Role.RESPONDER)
def take_command(request: PageRequest, incident_id: UUID) -> HttpResponse:
    """The person at the page commands from now on."""
    return answered(
        request,
        incident_id,
        lambda: roles.assign(
            incident_id=incident_id,
            user=request.user,
            role=IncidentRole.Role.COMMANDER,
            actor=request.user,
        ),
    )


@require_POST
@role_required(Role.RESPONDER)
def end_role(request: PageRequest, incident_id: UUID, role_id: UUID) -> HttpResponse:
    try:
        return answered(
            request,
            incident_id,
            lambda: roles.end(incident_id=incident_id, role_id=role_id, actor=request.user),
        )
    except IncidentRole.DoesNotExist:
        raise Http404("No such role") from None


def answered(request: PageRequest, incident_id: UUID, do: Callable[[], object]) -> HttpResponse:
    """The page's panels after the act, or why it was refused."""
    try:
        do()
    except REFUSALS as error:
        return page_problem(error)
    except Incident.DoesNotExist:
        raise Http404("No such incident") from None
    found = get_object_or_404(Incident.objects.select_related("merged_into"), pk=incident_id)
    return panels_answer(request, found)


def spoken(form: Any) -> str:
    """The form's errors in one text, each with its field's label."""
    parts = []
    for name, errors in form.errors.items():
        label = form.fields[name].label or name.replace("_", " ").capitalize()
        parts += [f"{label}: {error}" for error in errors]
    return " ".join(parts)


def zone_of(user: User) -> ZoneInfo:
    return ZoneInfo(user.time_zone)
