"""The examination of one data source on its page: asked for by a button, never by a visit."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.permissions import role_required
from correlation.doctor.examination import examine
from correlation.doctor.text import summary
from correlation.doctor.views import View
from correlation.models import DataSource
from incidents.pages import PageRequest


@require_POST
@role_required(Role.RESPONDER)
def doctor(request: PageRequest, slug: str) -> HttpResponse:
    """Examine the source and answer with the panel; takes up to the analysis' deadline."""
    source = get_object_or_404(DataSource, slug=slug)
    return render(request, "correlation/_doctor.html", doctor_context(source))


def doctor_context(source: DataSource) -> dict[str, Any]:
    """What `_doctor.html` shows: asks the source, and waits until it has answered.

    `report` is None for a disabled source, which is not asked; `services` are (slug, View, line).
    """
    found = examine(
        source.environment,
        time.time(),
        settings.CORRELATION_DEADLINE_SECONDS,
        sources=[source.slug],
    )
    report = next(iter(found.sources), None)
    return {
        "slug": source.slug,
        "examined": True,
        "report": report,
        "advice": found.advice,
        "services": [
            (service.slug, view, _line(view))
            for service in found.services
            for view in service.views
        ],
    }


def _line(view: View) -> str:
    return "" if view.state == "unavailable" else summary(view)
