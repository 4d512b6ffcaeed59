"""The database itself keeps timelines append-only (`accounts.append_only`).

An event must follow the incident's last one by seq and by digest, and after a sealing event only
an unsealing one may come.
"""

from __future__ import annotations

from accounts.append_only import Guard
from timeline.models import SEALING, UNSEALING, TimelineAnchor, TimelineEvent

EVENTS = TimelineEvent._meta.db_table
SEALING_SQL = ", ".join(f"'{kind.value}'" for kind in SEALING)
UNSEALING_SQL = ", ".join(f"'{kind.value}'" for kind in UNSEALING)
LAST = f"FROM {EVENTS} e WHERE e.incident_id = NEW.incident_id ORDER BY e.seq DESC LIMIT 1"

GUARD = Guard(
    name="timeline",
    entry="event",
    entries=EVENTS,
    anchors=TimelineAnchor._meta.db_table,
    rules=(
        (
            f"EXISTS (SELECT 1 FROM {EVENTS} e WHERE e.id = NEW.id)",  # noqa: S608  (no input)
            "an event is never replaced",
        ),
        (
            f"NEW.seq <> COALESCE((SELECT seq {LAST}), 0) + 1",
            "seq must follow the last event",
        ),
        (
            f"NEW.previous <> COALESCE((SELECT digest {LAST}), '')",
            "previous must be the digest of the last event",
        ),
        (
            f"(SELECT kind {LAST}) IN ({SEALING_SQL}) AND NEW.kind NOT IN ({UNSEALING_SQL})",
            "the timeline is sealed",
        ),
    ),
    shrinks="NEW.length < OLD.length OR NEW.incident_id <> OLD.incident_id",
    refusal="events are append-only",
)
install, lift, missing = GUARD.install, GUARD.lift, GUARD.missing
