"""Tasks: their dialogs on the incident page, and the page of all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Role, User
from accounts.permissions import role_required
from accounts.problems import problem
from incidents.acts.pages import spoken, zone_of
from incidents.followup import work
from incidents.followup.forms import TaskFilter, TaskForm
from incidents.followup.listing import PAGE_SIZE, matching, shown
from incidents.models import Incident, IncidentTask
from incidents.pages import PageRequest, panels_answer, seen_version
from incidents.refusals import REFUSALS, page_problem

STATES = IncidentTask.State.values


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def new(request: PageRequest, incident_id: UUID) -> HttpResponse:
    found = get_object_or_404(Incident, pk=incident_id)
    return _dialog(request, found, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def edit(request: PageRequest, task_id: UUID) -> HttpResponse:
    rows = IncidentTask.objects.select_related("incident", "owner")
    task = get_object_or_404(rows, pk=task_id)
    return _dialog(request, task.incident, task)


def _dialog(request: PageRequest, found: Incident, task: IncidentTask | None) -> HttpResponse:
    with timezone.override(zone_of(request.user)):
        form = TaskForm(task, request.POST if request.method == "POST" else None)
        if request.method == "GET":
            words = {"title": "Edit the task", "button": "Save"}
            if task is None:
                words = {"title": "Add a task", "button": "Add the task"}
            context = {"incident": found, "act": words, "form": form, "action": request.path}
            return render(request, "incidents/_dialog.html", context)
        if not form.is_valid():
            return problem(400, "invalid", spoken(form), errors=form.errors.get_json_data())
    try:
        if task is None:
            work.add_task(incident_id=found.pk, actor=request.user, **form.made())
        else:
            version = form.cleaned_data["version"]
            work.edit_task(
                task_id=task.pk, actor=request.user, changes=form.changes(), version=version
            )
    except REFUSALS as error:
        return page_problem(error)
    return _answer(request, found)


@require_POST
@role_required(Role.RESPONDER)
def state(request: PageRequest, task_id: UUID, to: str) -> HttpResponse:
    """One step of a task, from its version on the page."""
    task = get_object_or_404(IncidentTask.objects.select_related("incident"), pk=task_id)
    try:
        work.edit_task(
            task_id=task_id,
            actor=request.user,
            changes={"state": to},
            version=seen_version(request),
        )
    except REFUSALS as error:
        return page_problem(error)
    return _answer(request, task.incident)


def _answer(request: PageRequest, found: Incident) -> HttpResponse:
    """The incident's panels; from the page of all tasks, that page again."""
    if "/tasks" in request.headers.get("HX-Current-URL", ""):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    fresh = Incident.objects.select_related("merged_into").get(pk=found.pk)
    return panels_answer(request, fresh)


@require_GET
@role_required(Role.VIEWER)
def tasks(request: HttpRequest) -> HttpResponse:
    """The tasks of all incidents: one's own, unless others are asked for."""
    form = TaskFilter(request.GET)
    context: dict[str, Any] = {"form": form, "tasks": [], "status": 400}
    if form.is_valid():
        given = form.cleaned_data
        owner = given["owner"] if "owner" in request.GET else "me"
        wanted = {"": "unfinished", "all": ""}.get(given["state"], given["state"])
        me = request.user if isinstance(request.user, User) else None
        rows = matching(state=wanted, owner=owner, me=me, overdue=given["overdue"], q=given["q"])
        page = given["page"] or 1
        first = (page - 1) * PAGE_SIZE
        found = shown(rows[first : first + PAGE_SIZE + 1])
        more = len(found) > PAGE_SIZE
        context |= {
            "tasks": found[:PAGE_SIZE],
            "owner": owner,
            "earlier": page - 1 if page > 1 else None,
            "later": page + 1 if more else None,
            "status": 200,
        }
    return render(request, "incidents/tasks.html", context, status=context["status"])
