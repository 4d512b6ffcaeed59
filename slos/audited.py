"""Which rows of this app the audit watches."""

from __future__ import annotations

from accounts import audit
from slos.models import SLO, SLOCorrection

# written by the evaluation
COMPUTED = {
    "version",
    "updated_at",
    "status",
    "status_since",
    "quality",
    "sli",
    "budget_remaining",
    "burn_rates",
    "judgements",
    "covered_seconds",
    "evaluated_at",
    "error",
    "failed_at",
}


def watch_models() -> None:
    audit.watch(SLO, ignore=COMPUTED)
    audit.watch(SLOCorrection)
