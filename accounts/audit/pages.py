"""/audit: who changed what, for administrators."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.audit.chaining import chain_drafts
from accounts.audit.differences import differences
from accounts.audit.models import AuditAnchor
from accounts.audit.reading import HINTS, AuditForm, page_of, select
from accounts.audit.watching import watched
from accounts.audit.words import kind_of
from accounts.models import Role, User
from accounts.permissions import role_required

OTHER_KINDS = ("audit", "lab", "login", "timeline", "stats")


@never_cache
@require_GET
@role_required(Role.ADMIN)
def audit_page(request: HttpRequest) -> HttpResponse:
    """A filter that is wrong is a 400 that names it and lists nothing."""
    chain_drafts()
    with timezone.override(ZoneInfo(cast(User, request.user).time_zone)):
        form = AuditForm(request.GET)
        valid = form.is_valid()
        context: dict[str, Any] = {
            "form": form,
            "hints": HINTS,
            "kinds": sorted({*map(kind_of, watched()), *OTHER_KINDS}),
            "anchor": AuditAnchor.objects.first(),
        }
        if valid:
            context |= _listed({n: v for n, v in form.cleaned_data.items() if v}, request)
        return render(request, "accounts/audit.html", context, status=200 if valid else 400)


def _listed(given: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    older = given.pop("older", None)
    page = page_of(select(**given), older)
    following = request.GET.copy()
    following["older"] = str(page.older)
    moments = {name: value for name, value in given.items() if name in ("since", "until")}
    return {
        "rows": [(entry, differences(entry.before, entry.after)) for entry in page.entries],
        "filtered": bool(given),
        "older": following.urlencode() if page.older else "",
        "export": urlencode({**given, **{n: at.isoformat() for n, at in moments.items()}}),
    }
