"""The pages of the cause rules: read, write, switch, and try on past incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.permissions import role_required
from correlation.models import RootCause, RuleChange
from correlation.rules import edits as rule_edits
from correlation.rules.documents import BadRule
from correlation.rules.forms import START, RuleForm, as_yaml, initial_of
from correlation.rules.shelf import USER, Shelved, shelf
from correlation.rules.trials import edited, try_out
from correlation.rules.vocabulary import FEATURES
from correlation.rules.words import Said, conditions_said, effect_of
from correlation.signal_labels import label_of
from correlation.telemetry import SIGNAL_UNITS
from incidents.pages import PageRequest

NAMED_DAYS = 30
RECENT_CHANGES = 20


@dataclass(frozen=True)
class Row:
    """A rule as the list shows it; `named` is how many first causes it named lately."""

    shelved: Shelved
    effect: str
    named: int


def rows() -> list[Row]:
    since = timezone.now() - timedelta(days=NAMED_DAYS)
    counted = (
        RootCause.objects.filter(
            rank=1, analysis__superseded_by=None, analysis__finished_at__gte=since
        )
        .order_by()
        .values_list("rule")
        .annotate(Count("pk"))
    )
    named = dict(counted)
    return [
        Row(one, effect_of(one.rule) if one.rule else "", named.get(one.name, 0)) for one in shelf()
    ]


@require_GET
@role_required(Role.VIEWER)
def rules(request: PageRequest) -> HttpResponse:
    """All rules, the users' and the shipped; an htmx request gets the lists alone."""
    return _list(request, whole=not request.htmx or bool(request.htmx.history_restore_request))


@require_GET
@role_required(Role.VIEWER)
def rule(request: PageRequest, name: str) -> HttpResponse:
    found = _shelved(name)
    read = found.rule
    parts: list[tuple[str, list[Said]]] = []
    if read is not None:
        parts = [
            ("any of these", conditions_said(read.any)),
            ("and all of these", conditions_said(read.all)),
            ("but none of these", conditions_said(read.unless)),
        ]
    context = {
        "one": found,
        "parts": [(words, said) for words, said in parts if said],
        "effect": effect_of(read) if read else "",
        "yaml": as_yaml(found.definition),
        "changes": RuleChange.objects.filter(rule=name).select_related("actor")[:RECENT_CHANGES],
    }
    return render(request, "correlation/rule.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    """A new rule; `?like=NAME` begins with a copy."""
    form = RuleForm(request.POST or None, initial=_copied(request.GET.get("like", "")))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = rule_edits.create(
                name=given["name"],
                definition=form.definition,
                priority=given["priority"],
                enabled=given["enabled"],
                actor=request.user,
            )
        except BadRule as error:
            form.tell(error)
        else:
            messages.success(request, f"The rule {made.name} is saved.")
            return redirect("rule", made.name)
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, name: str) -> HttpResponse:
    """Change a rule; of a shipped one this makes an override."""
    found = _shelved(name)
    posted = {**request.POST.dict(), "roles": request.POST.getlist("roles"), "name": name}
    form = RuleForm(posted if request.method == "POST" else None, initial=initial_of(found))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        changes = {key: given[key] for key in ("enabled", "priority")}
        try:
            rule_edits.edit(
                name=name,
                changes={**changes, "definition": form.definition},
                actor=request.user,
                version=given["version"],
            )
        except BadRule as error:
            form.tell(error)
        except rule_edits.VersionConflict as error:
            form.add_error(
                None, f"{error} Somebody changed it while you did: open it again and compare."
            )
        else:
            messages.success(request, f"The rule {name} is saved.")
            return redirect("rule", name)
    return _form(request, form, found)


@require_POST
@role_required(Role.ADMIN)
def switch(request: PageRequest, name: str) -> HttpResponse:
    """Turn a rule on or off (`enabled` is 1 or 0), from the list or its own page."""
    _shelved(name)
    on = request.POST.get("enabled") == "1"
    rule_edits.edit(name=name, changes={"enabled": on}, actor=request.user)
    if request.htmx:
        return _list(request, whole=False)
    messages.success(request, f"The rule {name} is {'on' if on else 'off'}.")
    return redirect("rule", name)


@require_POST
@role_required(Role.ADMIN)
def remove(request: PageRequest, name: str) -> HttpResponse:
    """Delete a user's rule; a shipped one gets its place back."""
    found = _shelved(name)
    if found.row is not None:
        rule_edits.remove(name=name, actor=request.user)
    told = "is deleted" if found.origin == USER else "is as it is shipped"
    messages.success(request, f"The rule {name} {told}.")
    address = reverse("rules") if found.origin == USER else reverse("rule", args=[name])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@require_POST
@role_required(Role.RESPONDER)
def dry_run(request: PageRequest) -> HttpResponse:
    """What the posted form, or switching the named rule, would have changed; a fragment."""
    name = request.POST.get("name", "")
    context: dict[str, Any] = {}
    if "conditions" in request.POST:
        form = RuleForm(request.POST)
        if not form.is_valid():
            return render(request, "correlation/_dry_run.html", {"form": form}, status=422)
        given = form.cleaned_data
        changes = {key: given[key] for key in ("enabled", "priority")}
        changes |= {"definition": form.definition}
    else:
        changes = {"enabled": request.POST.get("enabled") == "1"}
    try:
        context["found"] = try_out(edited(name, changes))
    except BadRule as error:
        return render(request, "correlation/_dry_run.html", {"error": str(error)}, status=422)
    return render(request, "correlation/_dry_run.html", context)


def _list(request: PageRequest, *, whole: bool) -> HttpResponse:
    every = rows()
    context = {
        "own": [row for row in every if row.shelved.origin == USER],
        "shipped": [row for row in every if row.shelved.origin != USER],
        "days": NAMED_DAYS,
    }
    template = "correlation/rules.html" if whole else "correlation/_rules.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _form(request: PageRequest, form: RuleForm, found: Shelved | None) -> HttpResponse:
    context = {
        "form": form,
        "one": found,
        "features": FEATURES.items(),
        "signals": [(name, label_of(name), unit) for name, (unit, _bad) in SIGNAL_UNITS.items()],
    }
    status = 200 if not form.is_bound else 422
    return render(request, "correlation/rule_form.html", context, status=status)


def _copied(like: str) -> dict[str, Any]:
    if not like:
        return {"conditions": START}
    given = initial_of(_shelved(like))
    return {**given, "name": f"{like}-2"[:63], "version": None, "enabled": True}


def _shelved(name: str) -> Shelved:
    for one in shelf():
        if one.name == name:
            return one
    raise Http404(f"No rule {name}")
