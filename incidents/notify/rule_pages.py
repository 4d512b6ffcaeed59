"""The pages of notification rules."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.permissions import role_required
from incidents.alert_rules import edits
from incidents.models import NotificationChannel, NotificationRule
from incidents.notify.events import EVENT_WORDS, Event
from incidents.notify.forms import RuleForm, RuleTrial
from incidents.notify.trial import try_out
from incidents.pages import PageRequest

USUAL = [Event.OPENED.value, Event.RESOLVED.value, Event.REOPENED.value]


@require_GET
@role_required(Role.VIEWER)
def rules(request: PageRequest) -> HttpResponse:
    rows = NotificationRule.objects.order_by("name").prefetch_related("channels", "services")
    shown = [(row, [EVENT_WORDS[event] for event in row.events]) for row in rows[:200]]
    context = {"rows": shown, "trial_form": RuleTrial()}
    return render(request, "incidents/notification_rules.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    initial = {"events": USUAL, "time_zone": request.user.time_zone}
    form = RuleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, f"The rule {made.name} is saved.")
        return redirect("notification-rules")
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, rule_id: UUID) -> HttpResponse:
    found = get_object_or_404(NotificationRule, pk=rule_id)
    form = RuleForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        if edits.save_form(form):
            messages.success(request, f"The rule {form.instance.name} is saved.")
            return redirect("notification-rules")
        form.add_error(None, edits.OVERTAKEN)
    return _form(request, form, found)


def _form(request: PageRequest, form: RuleForm, found: NotificationRule | None) -> HttpResponse:
    any_channel = NotificationChannel.objects.kept().exists()
    context = {"form": form, "one": found, "any_channel": any_channel}
    status = 422 if form.is_bound else 200
    return render(request, "incidents/notification_rule_form.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def switch(request: PageRequest, rule_id: UUID) -> HttpResponse:
    """Turn it on or off (`enabled` is 1 or 0)."""
    found = get_object_or_404(NotificationRule, pk=rule_id)
    enabled = request.POST.get("enabled") == "1"
    found.enabled = enabled
    found.version += 1
    found.save(update_fields=["enabled", "version", "updated_at"])
    messages.success(request, f"The rule {found.name} is {'on' if enabled else 'off'}.")
    return redirect("notification-rules")


@require_POST
@role_required(Role.ADMIN)
def remove(request: PageRequest, rule_id: UUID) -> HttpResponse:
    found = get_object_or_404(NotificationRule, pk=rule_id)
    found.delete()
    messages.success(request, f"The rule {found.name} is deleted.")
    address = reverse("notification-rules")
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@require_POST
@role_required(Role.VIEWER)
def trial(request: PageRequest) -> HttpResponse:
    """What would be told of a change; a fragment."""
    form = RuleTrial(request.POST)
    if not form.is_valid():
        context: dict[str, object] = {"form": form}
        return render(request, "incidents/_notification_trial.html", context, status=422)
    given = form.cleaned_data
    at = given["at"].replace(tzinfo=UTC) if given["at"] else timezone.now()
    found = try_out(**{**given, "at": at})
    return render(request, "incidents/_notification_trial.html", {"trial": found, "at": at})
