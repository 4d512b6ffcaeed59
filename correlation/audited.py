"""Which rows of this app the audit watches."""

from __future__ import annotations

from accounts import audit
from correlation.models import CauseVerdict, CorrelationRule, DataSource


def watch_models() -> None:
    audit.watch(DataSource, ignore={"updated_at"})
    audit.watch(CorrelationRule, ignore={"version", "updated_at"})
    audit.watch(CauseVerdict)
