"""Which rows of this app the audit watches; what people write is told by `timeline.record`."""

from __future__ import annotations

from accounts import audit
from timeline.models import PinnedEvent
from timeline.postmortems.models import (
    Postmortem,
    PostmortemAction,
    PostmortemSection,
    PostmortemTemplate,
    TemplateSection,
)


def watch_models() -> None:
    audit.watch(PinnedEvent)
    audit.watch(PostmortemTemplate)
    audit.watch(TemplateSection)
    audit.watch(Postmortem)
    audit.watch(PostmortemSection, only={"postmortem_id", "name", "text"})
    audit.watch(PostmortemAction, ignore={"position"})
