"""The pages of the grouping rules and of the maps that alerts are read through."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.permissions import role_required
from incidents.alert_rules import edits
from incidents.alert_rules.forms import GroupingRuleForm, TrialForm
from incidents.alert_rules.trial import try_out
from incidents.intake import rulebook
from incidents.models import GroupingRule, Incident, Status
from incidents.pages import PageRequest

STEP = 10
"""Between the priorities of neighbours once somebody has moved a rule."""


@require_GET
@role_required(Role.VIEWER)
def rules(request: PageRequest) -> HttpResponse:
    """All rules in the order in which they are tried; an htmx request gets the list alone."""
    return _list(request, whole=not request.htmx or bool(request.htmx.history_restore_request))


def _list(request: PageRequest, *, whole: bool) -> HttpResponse:
    active = Q(incidents__merged_into=None) & ~Q(incidents__status=Status.RESOLVED)
    counted = GroupingRule.objects.annotate(open_incidents=Count("incidents", filter=active))
    # counting drops the order of the model
    rows = counted.order_by("priority", "name").prefetch_related("sources")
    context = {
        "rules": [(row, rulebook.rule_of(row)) for row in rows],
        "usual": rulebook.default_rule(),
        "usual_open": Incident.objects.active()
        .filter(source=Incident.Source.ALERT, grouping_rule=None)
        .count(),
        "trial_form": TrialForm(),
    }
    template = "incidents/grouping_rules.html" if whole else "incidents/_grouping_rules.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    form = GroupingRuleForm(request.POST or None, initial={"group_by": ["@service"]})
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, f"The rule {made.name} is saved.")
        return redirect("grouping-rules")
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, rule_id: UUID) -> HttpResponse:
    found = get_object_or_404(GroupingRule, pk=rule_id)
    form = GroupingRuleForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        if edits.save_form(form):
            messages.success(request, f"The rule {form.instance.name} is saved.")
            return redirect("grouping-rules")
        form.add_error(None, edits.OVERTAKEN)
    return _form(request, form, found)


def _form(request: PageRequest, form: GroupingRuleForm, found: GroupingRule | None) -> HttpResponse:
    context = {"form": form, "one": found, "usual": rulebook.default_rule()}
    status = 422 if form.is_bound else 200
    return render(request, "incidents/grouping_rule_form.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def switch(request: PageRequest, rule_id: UUID) -> HttpResponse:
    """Turn a rule on or off (`enabled` is 1 or 0)."""
    found = get_object_or_404(GroupingRule, pk=rule_id)
    found.enabled, found.version = request.POST.get("enabled") == "1", F("version") + 1
    found.save(update_fields=["enabled", "version"])
    return _list(request, whole=False) if request.htmx else redirect("grouping-rules")


@require_POST
@role_required(Role.ADMIN)
def move(request: PageRequest, rule_id: UUID) -> HttpResponse:
    """Try a rule earlier (`by` is -1) or later (1) than its neighbour."""
    by = -1 if request.POST.get("by") == "-1" else 1
    with transaction.atomic():
        rows = list(GroupingRule.objects.select_for_update().order_by("priority", "name"))
        place = next((n for n, row in enumerate(rows) if row.pk == rule_id), None)
        if place is None:
            raise Http404("No such rule")
        if 0 <= place + by < len(rows):
            rows[place], rows[place + by] = rows[place + by], rows[place]
            for n, row in enumerate(rows, start=1):
                if row.priority != n * STEP:
                    row.priority, row.version = n * STEP, F("version") + 1
                    row.save(update_fields=["priority", "version"])
    return _list(request, whole=False) if request.htmx else redirect("grouping-rules")


@require_POST
@role_required(Role.ADMIN)
def remove(request: PageRequest, rule_id: UUID) -> HttpResponse:
    """Delete a rule; its open incidents go on with the default rule's delays."""
    found = get_object_or_404(GroupingRule, pk=rule_id)
    found.delete()
    messages.success(request, f"The rule {found.name} is deleted.")
    address = reverse("grouping-rules")
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@require_POST
@role_required(Role.VIEWER)
def trial(request: PageRequest) -> HttpResponse:
    """What would happen to a pasted alert; a fragment."""
    form = TrialForm(request.POST)
    if not form.is_valid():
        return render(request, "incidents/_grouping_trial.html", {"form": form}, status=422)
    pasted, source = form.cleaned_data["alert"], form.cleaned_data["source"]
    found = try_out(
        labels=pasted.labels,
        annotations=pasted.annotations,
        source=source.slug if source else "",
        firing=pasted.status != "resolved",
    )
    return render(request, "incidents/_grouping_trial.html", {"trial": found})
