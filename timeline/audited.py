"""Which rows of this app the audit watches; what people write is told by `timeline.record`."""

from __future__ import annotations

from accounts import audit
from timeline.models import PinnedEvent


def watch_models() -> None:
    audit.watch(PinnedEvent)
