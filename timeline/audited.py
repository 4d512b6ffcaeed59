"""Which rows of this app the audit watches; what people write is told by `timeline.record`.

A section of a postmortem is saved while it is written: `postmortems.editing` records that itself.
"""

from __future__ import annotations

from accounts import audit
from timeline.models import PinnedEvent
from timeline.postmortems.models import (
    Postmortem,
    PostmortemAction,
    PostmortemTemplate,
    TemplateSection,
)


def watch_models() -> None:
    audit.watch(PinnedEvent)
    audit.watch(PostmortemTemplate)
    audit.watch(TemplateSection)
    audit.watch(Postmortem)
    audit.watch(PostmortemAction, ignore={"position"})
