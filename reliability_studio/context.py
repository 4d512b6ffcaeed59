"""What every page's template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def studio(request: HttpRequest) -> dict[str, Any]:
    return {
        "studio_version": settings.VERSION,
        "lab_enabled": bool(settings.LAB_URL),
        "registration_open": settings.REGISTRATION_OPEN,
    }
