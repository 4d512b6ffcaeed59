"""Pages of alerts: what fires now, who delivers, and what was delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from incidents.alerts import listing as alert_listing
from incidents.alerts import sender_settings, sources
from incidents.alerts.forms import AlertsFilter, DeliveriesFilter, NewSource
from incidents.intake import replay
from incidents.models import AlertSource, Delivery
from incidents.pages import PageRequest


@require_GET
@role_required(Role.VIEWER)
def alerts(request: PageRequest) -> HttpResponse:
    """What fires now."""
    return _listing(request, "alerts", AlertsFilter(request.GET), alert_listing.firing_page)


@require_GET
@role_required(Role.VIEWER)
def deliveries(request: PageRequest) -> HttpResponse:
    """What came in, and what became of it."""
    form = DeliveriesFilter(request.GET)
    return _listing(request, "deliveries", form, alert_listing.delivery_page)


@require_GET
@role_required(Role.VIEWER)
def delivery(request: PageRequest, delivery_id: UUID) -> HttpResponse:
    """One delivery with its body."""
    found = get_object_or_404(Delivery.objects.select_related("source"), pk=delivery_id)
    return render(request, "incidents/delivery.html", {"delivery": found})


@require_POST
@role_required(Role.RESPONDER)
def replay_delivery(request: PageRequest, delivery_id: UUID) -> HttpResponse:
    """Take it once more and say how that went."""
    found = get_object_or_404(Delivery, pk=delivery_id)
    try:
        taken = replay.replay(found.pk)
    except (replay.InHand, ValueError) as error:
        messages.error(request, str(error))
    else:
        if taken.state == Delivery.State.REJECTED:
            messages.error(request, f"Rejected again: {taken.error}")
        else:
            messages.success(request, "Replayed; its alerts are being grouped.")
    return redirect("delivery", delivery_id=found.pk)


@never_cache
@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def alert_sources(request: PageRequest) -> HttpResponse:
    """Who delivers; an administrator adds one and is shown its token, this once."""
    form = NewSource()
    if request.method == "POST":
        if not request.user.has_role(Role.ADMIN):
            return render(request, "accounts/forbidden.html", {"role": Role.ADMIN}, status=403)
        form = NewSource(request.POST)
        if form.is_valid():
            source, plain = sources.create(**form.cleaned_data)
            return _source(request, source, plain)
    context = {"form": form, "sources": sources.listed()}
    return render(
        request, "incidents/alert_sources.html", context, status=422 if form.errors else 200
    )


@never_cache
@require_GET
@role_required(Role.VIEWER)
def alert_source(request: PageRequest, slug: str) -> HttpResponse:
    """One source: its token's state and the settings to paste at the sender."""
    return _source(request, get_object_or_404(sources.listed(), slug=slug))


@never_cache
@require_POST
@role_required(Role.ADMIN)
def rotate_source(request: PageRequest, slug: str) -> HttpResponse:
    """A new token, shown this once; the old ones end."""
    source = get_object_or_404(sources.listed(), slug=slug)
    return _source(request, source, sources.rotate(source))


@require_POST
@role_required(Role.ADMIN)
def revoke_source(request: PageRequest, slug: str) -> HttpResponse:
    """End the source's tokens."""
    source = get_object_or_404(sources.listed(), slug=slug)
    ended = sources.revoke(source)
    messages.success(request, f"{ended} token{'' if ended == 1 else 's'} revoked.")
    return redirect("alert-source", slug=slug)


def _source(request: PageRequest, source: AlertSource, plain: str = "") -> HttpResponse:
    address = request.build_absolute_uri(reverse(f"intake-{source.kind}"))
    context = {
        "source": sources.listed().get(pk=source.pk),
        "plain": plain,
        "address": address,
        "settings": sender_settings.of(source.kind, address),
        "newest": Delivery.objects.filter(source=source).defer("body")[:10],
    }
    return render(request, "incidents/alert_source.html", context)


def _listing(
    request: PageRequest,
    name: str,
    form: forms.Form,
    page: Callable[..., alert_listing.Page],
) -> HttpResponse:
    """A filtered list; a bad filter is a 400 that names it."""
    context: dict[str, Any] = {"form": form, "page": None}
    if form.is_valid():
        try:
            context["page"] = page(**form.cleaned_data)
        except (ValueError, OverflowError):
            form.add_error("older", "This link to older entries is not valid.")
    if context["page"] is not None:
        context["sources"] = AlertSource.objects.order_by("slug").values_list("slug", flat=True)
        query = request.GET.copy()
        query["older"] = context["page"].older
        context["older"] = query.urlencode() if context["page"].older else ""
    return render(
        request, f"incidents/{name}.html", context, status=400 if context["page"] is None else 200
    )
