"""The database itself keeps timelines append-only.

Events: no UPDATE, no DELETE (no TRUNCATE); an INSERT must follow the last event by seq and by
digest, and after a sealing event only an unsealing one may come. Anchors: never deleted, never
shorter. `lift` is for emptying a test database and for pruning; nothing else calls it.

A trigger reads its own table only: SQLite could not alter another table that one reads. SQLite
drops a table's triggers when it rebuilds it, so they are installed after every migrate.
"""

from __future__ import annotations

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from timeline.models import SEALING, UNSEALING, TimelineAnchor, TimelineEvent

EVENTS = TimelineEvent._meta.db_table
ANCHORS = TimelineAnchor._meta.db_table
SEALING_SQL = ", ".join(f"'{kind.value}'" for kind in SEALING)
UNSEALING_SQL = ", ".join(f"'{kind.value}'" for kind in UNSEALING)

# (condition that refuses the new row, what is said); {last} is the incident's last event
RULES = (
    (
        f"EXISTS (SELECT 1 FROM {EVENTS} e WHERE e.id = NEW.id)",  # noqa: S608  (no input)
        "an event is never replaced",
    ),
    (
        "NEW.seq <> COALESCE((SELECT seq {last}), 0) + 1",
        "seq must follow the last event",
    ),
    (
        "NEW.previous <> COALESCE((SELECT digest {last}), '')",
        "previous must be the digest of the last event",
    ),
    (
        f"(SELECT kind {{last}}) IN ({SEALING_SQL}) AND NEW.kind NOT IN ({UNSEALING_SQL})",
        "the timeline is sealed",
    ),
)
LAST = f"FROM {EVENTS} e WHERE e.incident_id = NEW.incident_id ORDER BY e.seq DESC LIMIT 1"
INSERT_RULES = tuple((condition.format(last=LAST), said) for condition, said in RULES)
SHRINKS = "NEW.length < OLD.length OR NEW.incident_id <> OLD.incident_id"

# trigger name -> (table, SQLite's DDL)
SQLITE = {
    "timeline_event_insert": (
        EVENTS,
        f"BEFORE INSERT ON {EVENTS} BEGIN "
        + " ".join(
            f"SELECT RAISE(ABORT, 'timeline: {said}') WHERE {condition};"
            for condition, said in INSERT_RULES
        )
        + " END",
    ),
    "timeline_event_update": (
        EVENTS,
        f"BEFORE UPDATE ON {EVENTS} BEGIN "
        "SELECT RAISE(ABORT, 'timeline: events are append-only'); END",
    ),
    "timeline_event_delete": (
        EVENTS,
        f"BEFORE DELETE ON {EVENTS} BEGIN "
        "SELECT RAISE(ABORT, 'timeline: events are append-only'); END",
    ),
    "timeline_anchor_update": (
        ANCHORS,
        f"BEFORE UPDATE ON {ANCHORS} WHEN {SHRINKS} BEGIN "
        "SELECT RAISE(ABORT, 'timeline: an anchor never moves back'); END",
    ),
    "timeline_anchor_delete": (
        ANCHORS,
        f"BEFORE DELETE ON {ANCHORS} BEGIN "
        "SELECT RAISE(ABORT, 'timeline: an anchor never moves back'); END",
    ),
}

FUNCTIONS = {
    "timeline_check_insert": "BEGIN "
    + " ".join(
        f"IF {condition} THEN RAISE EXCEPTION 'timeline: {said}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        for condition, said in INSERT_RULES
    )
    + " RETURN NEW; END",
    "timeline_refuse": "BEGIN RAISE EXCEPTION 'timeline: %', TG_ARGV[0] "
    "USING ERRCODE = 'integrity_constraint_violation'; END",
}
REFUSE_EVENT = "EXECUTE FUNCTION timeline_refuse('events are append-only')"
REFUSE_ANCHOR = "EXECUTE FUNCTION timeline_refuse('an anchor never moves back')"
POSTGRESQL = {
    "timeline_event_insert": (
        EVENTS,
        f"BEFORE INSERT ON {EVENTS} FOR EACH ROW EXECUTE FUNCTION timeline_check_insert()",
    ),
    "timeline_event_update": (EVENTS, f"BEFORE UPDATE ON {EVENTS} FOR EACH ROW {REFUSE_EVENT}"),
    "timeline_event_delete": (EVENTS, f"BEFORE DELETE ON {EVENTS} FOR EACH ROW {REFUSE_EVENT}"),
    "timeline_event_truncate": (
        EVENTS,
        f"BEFORE TRUNCATE ON {EVENTS} FOR EACH STATEMENT {REFUSE_EVENT}",
    ),
    "timeline_anchor_update": (
        ANCHORS,
        f"BEFORE UPDATE ON {ANCHORS} FOR EACH ROW WHEN ({SHRINKS}) {REFUSE_ANCHOR}",
    ),
    "timeline_anchor_delete": (ANCHORS, f"BEFORE DELETE ON {ANCHORS} FOR EACH ROW {REFUSE_ANCHOR}"),
    "timeline_anchor_truncate": (
        ANCHORS,
        f"BEFORE TRUNCATE ON {ANCHORS} FOR EACH STATEMENT {REFUSE_ANCHOR}",
    ),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers anew; nothing happens while the tables do not exist."""
    if not _tables_exist(connection):
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, body in FUNCTIONS.items():
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger "
                    f"LANGUAGE plpgsql AS $${body}$$"
                )
        for name, (table, ddl) in _wanted(connection).items():
            cursor.execute(_drop(connection, name, table))
            cursor.execute(f"CREATE TRIGGER {name} {ddl}")


def lift(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: call `install` when done."""
    if not _tables_exist(connection):
        return
    with connection.cursor() as cursor:
        for name, (table, _ddl) in _wanted(connection).items():
            cursor.execute(_drop(connection, name, table))


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the triggers that should be there and are not, or are disabled."""
    if not _tables_exist(connection):
        return []
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {row[0] for row in cursor.fetchall()}
    return [name for name in _wanted(connection) if name not in present]


def _wanted(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
    if connection.vendor == "postgresql":
        return POSTGRESQL
    if connection.vendor == "sqlite":
        return SQLITE
    raise NotImplementedError(f"no append-only triggers are written for {connection.vendor}")


def _drop(connection: BaseDatabaseWrapper, name: str, table: str) -> str:
    on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {name}{on_table}"


def _tables_exist(connection: BaseDatabaseWrapper) -> bool:
    return {EVENTS, ANCHORS} <= set(connection.introspection.table_names())
