"""The form of an SLO: make one, change one, check it on its last hour."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from incidents.alert_rules.edits import OVERTAKEN
from incidents.pages import PageRequest
from slos import keeping
from slos.checking.trying import try_out
from slos.definition import Wrong, usual_policies
from slos.models import SLO
from slos.pages.forms import OTHER, SPANS, SLOForm
from slos.pages.policy_rows import rows_of, with_room
from slos.periods import Period
from slos.stored import period

USUAL_TARGET = 0.999


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    """A new SLO; `?service=` names the service that it is about."""
    if request.method == "GET":
        form = SLOForm(initial={"service": request.GET.get("service") or None})
        form.rows = rows_of(usual_policies(Period.parse("30d"), USUAL_TARGET))
        return _form(request, form, None)
    form = SLOForm(request.POST)
    if form.is_valid() and (columns := _columns(form)) is not None:
        try:
            kept = keeping.create(
                columns,
                by=request.user,
                accept_no_data=form.cleaned_data["accept_no_data"],
            )
        except keeping.Refused as refused:
            form.refuse(refused.errors)
        else:
            return _saved(request, kept)
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, name: str) -> HttpResponse:
    one = get_object_or_404(SLO.objects.select_related("service", "data_source"), name=name)
    form = SLOForm(request.POST if request.method == "POST" else None, one=one)
    if form.is_valid() and (columns := _columns(form)) is not None:
        try:
            kept = keeping.change(
                one,
                columns,
                version=form.cleaned_data["version"],
                accept_no_data=form.cleaned_data["accept_no_data"],
            )
        except keeping.Refused as refused:
            form.refuse(refused.errors)
        except keeping.Overtaken:
            form.add_error(None, OVERTAKEN)
        else:
            return _saved(request, kept)
    return _form(request, form, one)


@require_POST
@role_required(Role.RESPONDER)
def check(request: PageRequest) -> HttpResponse:
    """What the SLO in the form counted in the last hour; a fragment."""
    form = SLOForm(request.POST)
    form.fields["name"].required = False
    context: dict[str, object] = {"form": form}
    if form.is_valid() and (columns := _columns(form)) is not None:
        columns["name"] = columns["name"] or "unnamed"
        try:
            context["found"] = try_out(columns)
        except keeping.Refused as refused:
            form.refuse(refused.errors)
    status = 200 if "found" in context else 422
    return render(request, "slos/_check.html", context, status=status)


@require_POST
@role_required(Role.RESPONDER)
def policies(request: PageRequest) -> HttpResponse:
    """The workbook's policies for the period and the target in the form; a fragment."""
    form = SLOForm(request.POST)
    form.is_valid()
    given = form.cleaned_data
    shorthand, rolling = given.get("period", ""), given.get("rolling") == "1"
    if given.get("span", OTHER) != OTHER:
        _, shorthand, rolling = SPANS[given["span"]]
    error = ""
    try:
        span = period(shorthand, rolling, given.get("time_zone") or "UTC", "")
    except Wrong as wrong:
        span, error = Period.parse("30d"), wrong.why
    percent = given.get("target_percent")
    target = float(percent) / 100 if percent and 0 < percent < 100 else USUAL_TARGET
    rows = with_room(rows_of(usual_policies(span, target)))
    context = {"rows": rows, "policy_errors": [error] if error else []}
    return render(request, "slos/_policies.html", context)


def _columns(form: SLOForm) -> dict[str, object] | None:
    """None for policies that cannot be read; the form says so."""
    try:
        return form.columns()
    except ValueError as error:
        form.policy_errors.append(str(error))
        return None


def _saved(request: PageRequest, kept: keeping.Kept) -> HttpResponse:
    messages.success(request, f"{kept.slo} is saved; its numbers follow within a minute.")
    for warning in kept.warnings:
        messages.warning(request, warning)
    return redirect("slo", name=kept.slo.name)


def _form(request: PageRequest, form: SLOForm, one: SLO | None) -> HttpResponse:
    context = {
        "form": form,
        "one": one,
        "rows": with_room(form.rows),
        "policy_errors": form.policy_errors,
    }
    return render(request, "slos/slo_form.html", context, status=422 if form.is_bound else 200)
