"""The pages of notifications: what was sent."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from incidents.models import NotificationChannel, NotificationDelivery
from incidents.notify import acts, listing
from incidents.notify.forms import NotificationFilterForm
from incidents.pages import PageRequest, panels_answer


@require_GET
@role_required(Role.VIEWER)
def notifications(request: PageRequest) -> HttpResponse:
    """What was sent, newest first; a bad filter is a 400 that names it."""
    form = NotificationFilterForm(request.GET)
    channels = NotificationChannel.objects.kept().order_by("name")
    context = {"form": form, "channels": list(channels.values_list("name", flat=True))}
    if not form.is_valid():
        return render(request, "incidents/notifications.html", context, status=400)
    asked = form.cleaned_data
    try:
        page = listing.delivery_page(**asked, older=request.GET.get("older", ""))
    except (ValueError, OverflowError):
        raise Http404("This link to older notifications is not valid.") from None
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in asked.items() if value})
    query["older"] = page.older
    context |= {"page": page, "older": query.urlencode() if page.older else ""}
    return render(request, "incidents/notifications.html", context)


@require_GET
@role_required(Role.VIEWER)
def notification(request: PageRequest, key: UUID) -> HttpResponse:
    """One of them, with its attempts and what was sent with it."""
    rows = NotificationDelivery.objects.select_related("channel", "bundle", "incident")
    row = get_object_or_404(rows, key=key)
    leader = row.bundle or row
    bundled = NotificationDelivery.objects.filter(bundle=leader).order_by("pk")
    context = {
        "one": listing.shown(row),
        "tries": leader.tries.all(),
        "together": [listing.shown(each) for each in [leader, *bundled[:200]]] if bundled else [],
    }
    return render(request, "incidents/notification.html", context)


@require_POST
@role_required(Role.RESPONDER)
def retry(request: PageRequest, key: UUID) -> HttpResponse:
    """Send it again now; an htmx request is the incident page's."""
    rows = NotificationDelivery.objects.select_related("channel", "incident__merged_into")
    row = get_object_or_404(rows, key=key)
    try:
        acts.retry(row)
    except acts.CannotRetry as error:
        if request.htmx:
            return problem(409, "cannot-retry", str(error))
        messages.error(request, str(error))
    else:
        if request.htmx:
            return panels_answer(request, row.incident)
        messages.success(request, f"It is sent to {row.channel.name} again.")
    return redirect("notification", key=key)
