"""The audit's append-only triggers are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections

from accounts.audit.triggers import GUARD


@register(Tags.database)
def check_triggers(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A warning: an error would stop the very `migrate` that installs them."""
    return [
        Warning(
            f"The audit in database {alias!r} lacks its triggers: {', '.join(names)}.",
            hint="Run `manage.py migrate`, which installs them.",
            id="accounts.W001",
        )
        for alias in databases or ()
        if (names := GUARD.missing(connections[alias]))
    ]
