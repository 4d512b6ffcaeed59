"""Which rows of this app the audit watches."""

from __future__ import annotations

from accounts import audit
from slos.models import SLO, SLOCorrection


def watch_models() -> None:
    audit.watch(SLO, ignore={"version", "updated_at", *SLO.COMPUTED})
    audit.watch(SLOCorrection)
