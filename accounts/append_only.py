"""The database itself keeps a chain's rows append-only: triggers on PostgreSQL and SQLite.

Entries: no UPDATE, no DELETE (no TRUNCATE), and an INSERT must satisfy the guard's rules. Anchors:
never deleted, never shorter. `lift` is for emptying a test database and for pruning; nothing else
calls it.

A chain's trigger reads its own table only: SQLite could not alter another table that one reads.
SQLite drops a table's triggers when it rebuilds it, so they are installed after every migrate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Triggers = dict[str, tuple[str, str]]  # trigger name -> (table, what follows CREATE TRIGGER name)
guards: list[Installed] = []


class Installed(ABC):
    """Triggers that are put into a database, and taken out of it for a while."""

    def __post_init__(self) -> None:
        guards.append(self)

    @property
    @abstractmethod
    def tables(self) -> frozenset[str]:
        """What must be there before the triggers are."""

    @property
    @abstractmethod
    def _functions(self) -> dict[str, str]:
        """PostgreSQL's: name to body."""

    @property
    @abstractmethod
    def _sqlite(self) -> Triggers: ...

    @property
    @abstractmethod
    def _postgresql(self) -> Triggers: ...

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Create the triggers anew; nothing happens while the tables do not exist."""
        if not self._tables_exist(connection):
            return
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                for name, body in self._functions.items():
                    cursor.execute(
                        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger "
                        f"LANGUAGE plpgsql AS $${body}$$"
                    )
            for name, (table, ddl) in self._wanted(connection).items():
                cursor.execute(_drop(connection, name, table))
                cursor.execute(f"CREATE TRIGGER {name} {ddl}")

    def lift(self, connection: BaseDatabaseWrapper) -> None:
        """Drop the triggers: call `install` when done."""
        if not self._tables_exist(connection):
            return
        with connection.cursor() as cursor:
            for name, (table, _ddl) in self._wanted(connection).items():
                cursor.execute(_drop(connection, name, table))

    def missing(self, connection: BaseDatabaseWrapper) -> list[str]:
        """Names of the triggers that should be there and are not, or are disabled."""
        if not self._tables_exist(connection):
            return []
        if connection.vendor == "postgresql":
            query = (
                "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
            )
        else:
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        with connection.cursor() as cursor:
            cursor.execute(query)
            present = {row[0] for row in cursor.fetchall()}
        return [name for name in self._wanted(connection) if name not in present]

    def _wanted(self, connection: BaseDatabaseWrapper) -> Triggers:
        if connection.vendor == "postgresql":
            return self._postgresql
        if connection.vendor == "sqlite":
            return self._sqlite
        raise NotImplementedError(f"no append-only triggers are written for {connection.vendor}")

    def _tables_exist(self, connection: BaseDatabaseWrapper) -> bool:
        return self.tables <= set(connection.introspection.table_names())


@dataclass(frozen=True)
class Guard(Installed):
    """Triggers of one chain: `name`_`entry`_insert and so on.

    `rules` are (SQL condition on NEW that refuses the new entry, what is said); `shrinks` is the
    condition on OLD and NEW that refuses an anchor's update. Neither holds anybody's input.
    """

    name: str
    entry: str
    entries: str
    anchors: str
    rules: tuple[tuple[str, str], ...]
    shrinks: str
    refusal: str

    @property
    def tables(self) -> frozenset[str]:
        return frozenset({self.entries, self.anchors})

    @cached_property
    def _functions(self) -> dict[str, str]:
        checks = " ".join(
            f"IF {condition} THEN RAISE EXCEPTION '{self.name}: {said}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            for condition, said in self.rules
        )
        return {
            f"{self.name}_check_insert": f"BEGIN {checks} RETURN NEW; END",
            f"{self.name}_refuse": f"BEGIN RAISE EXCEPTION '{self.name}: %', TG_ARGV[0] "
            "USING ERRCODE = 'integrity_constraint_violation'; END",
        }

    @cached_property
    def _sqlite(self) -> Triggers:
        checks = " ".join(
            f"SELECT RAISE(ABORT, '{self.name}: {said}') WHERE {condition};"
            for condition, said in self.rules
        )
        kept = f"BEGIN SELECT RAISE(ABORT, '{self.name}: {self.refusal}'); END"
        never_back = f"BEGIN SELECT RAISE(ABORT, '{self.name}: an anchor never moves back'); END"
        entry, anchor = f"{self.name}_{self.entry}", f"{self.name}_anchor"
        return {
            f"{entry}_insert": (
                self.entries,
                f"BEFORE INSERT ON {self.entries} BEGIN {checks} END",
            ),
            f"{entry}_update": (self.entries, f"BEFORE UPDATE ON {self.entries} {kept}"),
            f"{entry}_delete": (self.entries, f"BEFORE DELETE ON {self.entries} {kept}"),
            f"{anchor}_update": (
                self.anchors,
                f"BEFORE UPDATE ON {self.anchors} WHEN {self.shrinks} {never_back}",
            ),
            f"{anchor}_delete": (self.anchors, f"BEFORE DELETE ON {self.anchors} {never_back}"),
        }

    @cached_property
    def _postgresql(self) -> Triggers:
        kept = f"EXECUTE FUNCTION {self.name}_refuse('{self.refusal}')"
        never_back = f"EXECUTE FUNCTION {self.name}_refuse('an anchor never moves back')"
        entry, anchor = f"{self.name}_{self.entry}", f"{self.name}_anchor"
        found: Triggers = {
            f"{entry}_insert": (
                self.entries,
                f"BEFORE INSERT ON {self.entries} FOR EACH ROW "
                f"EXECUTE FUNCTION {self.name}_check_insert()",
            ),
            f"{anchor}_update": (
                self.anchors,
                f"BEFORE UPDATE ON {self.anchors} FOR EACH ROW WHEN ({self.shrinks}) {never_back}",
            ),
        }
        refused = (
            (entry, self.entries, "update", kept),
            (entry, self.entries, "delete", kept),
            (entry, self.entries, "truncate", kept),
            (anchor, self.anchors, "delete", never_back),
            (anchor, self.anchors, "truncate", never_back),
        )
        for trigger, table, verb, refuse in refused:
            level = "STATEMENT" if verb == "truncate" else "ROW"
            ddl = f"BEFORE {verb.upper()} ON {table} FOR EACH {level} {refuse}"
            found[f"{trigger}_{verb}"] = (table, ddl)
        return found


def _drop(connection: BaseDatabaseWrapper, name: str, table: str) -> str:
    on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {name}{on_table}"
