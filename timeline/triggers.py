"""The database itself keeps timelines append-only (`accounts.append_only`).

An event must follow the incident's last one by seq and by digest, and after a sealing event only
an unsealing one may come. A report that is written and a postmortem that is published stay as they
are (`accounts.frozen`), with its sections and actions, and so does each step of its review.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.append_only import Guard, Installed
from accounts.frozen import Frozen
from timeline.models import SEALING, UNSEALING, TimelineAnchor, TimelineEvent
from timeline.postmortems.models import (
    Postmortem,
    PostmortemAction,
    PostmortemSection,
    PostmortemStep,
)
from timeline.reporting.models import IncidentReport

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

POSTMORTEMS = Postmortem._meta.db_table
OF_PUBLISHED = (
    f"EXISTS (SELECT 1 FROM {POSTMORTEMS} p "  # noqa: S608  (no input)
    f"WHERE p.id = {{row}}.postmortem_id AND p.state = '{Postmortem.State.PUBLISHED.value}')"
)
REPORT = Frozen(
    name="timeline_report",
    table=IncidentReport._meta.db_table,
    finished=f"{{row}}.state = '{IncidentReport.State.DONE.value}'",
    same="{row}.id = NEW.id OR "
    "({row}.incident_id = NEW.incident_id AND {row}.version = NEW.version)",
    refusal="a report that is written stays as it is",
)
POSTMORTEM = Frozen(
    name="timeline_postmortem",
    table=POSTMORTEMS,
    finished=f"{{row}}.state = '{Postmortem.State.PUBLISHED.value}'",
    same="{row}.id = NEW.id OR "
    "({row}.incident_id = NEW.incident_id AND {row}.revision = NEW.revision)",
    refusal="a published postmortem stays as it is",
)
PARTS = tuple(
    Frozen(
        name=f"timeline_postmortem_{name}",
        table=model._meta.db_table,
        finished=OF_PUBLISHED,
        complete=True,
        reads=frozenset({POSTMORTEMS}),
        refusal=f"the {name} belongs to a published postmortem",
    )
    for name, model in (("section", PostmortemSection), ("action", PostmortemAction))
)
STEP = Frozen(
    name="timeline_postmortem_step",
    table=PostmortemStep._meta.db_table,
    finished="{row}.id IS NOT NULL",
    refusal="what was done to a postmortem stays on the record",
)
FROZEN = (REPORT, POSTMORTEM, *PARTS, STEP)
GUARDS: tuple[Installed, ...] = (GUARD, *FROZEN)


def install(connection: BaseDatabaseWrapper) -> None:
    for guard in GUARDS:
        guard.install(connection)


def lift(connection: BaseDatabaseWrapper) -> None:
    for guard in GUARDS:
        guard.lift(connection)


def lift_for_migration(connection: BaseDatabaseWrapper) -> None:
    """SQLite alters no table that another table's trigger reads; `install` follows."""
    if connection.vendor == "sqlite":
        for guard in FROZEN:
            guard.lift(connection)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    return [name for guard in GUARDS for name in guard.missing(connection)]
