"""The pages of channels."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Role
from accounts.permissions import role_required
from incidents.alert_rules import edits
from incidents.models import NotificationChannel
from incidents.notify import acts, listing
from incidents.notify.forms import ChannelForm
from incidents.pages import PageRequest


@require_GET
@role_required(Role.VIEWER)
def channels(request: PageRequest) -> HttpResponse:
    return render(request, "incidents/channels.html", {"rows": listing.channels()[:200]})


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def new(request: PageRequest) -> HttpResponse:
    kind = request.GET.get("kind", "slack")
    form = ChannelForm(request.POST or None, initial={"kind": kind})
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, f"The channel {made.name} is saved. Send a test through it.")
        return redirect("channels")
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def edit(request: PageRequest, channel_id: UUID) -> HttpResponse:
    found = _kept(channel_id)
    was_enabled = found.enabled
    form = ChannelForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        if edits.save_form(form):
            if was_enabled and not form.instance.enabled:
                acts.let_go(form.instance)
            messages.success(request, f"The channel {form.instance.name} is saved.")
            return redirect("channels")
        form.add_error(None, edits.OVERTAKEN)
    return _form(request, form, found)


def _form(
    request: PageRequest, form: ChannelForm, found: NotificationChannel | None
) -> HttpResponse:
    context = {"form": form, "one": found}
    status = 422 if form.is_bound else 200
    return render(request, "incidents/channel_form.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def switch(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Turn it on or off (`enabled` is 1 or 0)."""
    found = _kept(channel_id)
    enabled = request.POST.get("enabled") == "1"
    acts.switch(found, enabled=enabled)
    messages.success(request, f"The channel {found.name} is {'on' if enabled else 'off'}.")
    return redirect("channels")


@require_POST
@role_required(Role.ADMIN)
def remove(request: PageRequest, channel_id: UUID) -> HttpResponse:
    found = _kept(channel_id)
    acts.remove(found)
    messages.success(request, f"The channel {found.name} is removed.")
    return HttpResponseClientRedirect(reverse("channels")) if request.htmx else redirect("channels")


@require_POST
@role_required(Role.ADMIN)
def test(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Send a test message and show the answer."""
    found = _kept(channel_id)
    result = acts.send_test(found)
    context = {"channel": found, "result": result}
    if request.htmx:
        return render(request, "incidents/_channel_test.html", context)
    told = messages.success if result.outcome == "sent" else messages.error
    told(
        request, f"Test of {found.name}: {result.outcome} in {result.seconds:.2f} s. {result.said}"
    )
    return redirect("channels")


def _kept(channel_id: UUID) -> NotificationChannel:
    return get_object_or_404(NotificationChannel.objects.kept(), pk=channel_id)
