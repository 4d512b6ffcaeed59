"""The database itself keeps rows that are finished: triggers on PostgreSQL and SQLite.

From when on a row is finished, `Frozen` says in SQL. Then no UPDATE and no DELETE (no TRUNCATE)
touches it, and no INSERT takes its place. `accounts.append_only` installs and lifts the triggers;
they may read other tables, so they are lifted before every migrate (SQLite could not alter those).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from accounts.append_only import Installed, Triggers


@dataclass(frozen=True)
class Frozen(Installed):
    """Triggers of one table, `name`_update and so on.

    `finished` is the condition on a row that freezes it, "{row}" being that row; `same` the
    condition under which a row "{row}" of the table would make place for NEW. `complete` refuses
    new rows that would be finished from the start, as parts of something finished are. `reads`
    are the further tables of the conditions. None of them holds anybody's input.
    """

    name: str
    table: str
    finished: str
    refusal: str
    same: str = "{row}.id = NEW.id"
    complete: bool = False
    reads: frozenset[str] = frozenset()

    @property
    def tables(self) -> frozenset[str]:
        return self.reads | {self.table}

    @cached_property
    def _refused(self) -> dict[str, str]:
        """The condition under which each statement is refused."""
        old, new = self.finished.format(row="OLD"), self.finished.format(row="NEW")
        taken = f"({self.same.format(row='t')}) AND ({self.finished.format(row='t')})"
        replaces = f"EXISTS (SELECT 1 FROM {self.table} t WHERE {taken})"  # noqa: S608  (no input)
        return {
            "insert": f"{replaces} OR {new}" if self.complete else replaces,
            "update": f"{old} OR {new}" if self.complete else old,
            "delete": old,
        }

    @cached_property
    def _functions(self) -> dict[str, str]:
        raised = (
            f"RAISE EXCEPTION '{self.name}: {self.refusal}' "
            "USING ERRCODE = 'integrity_constraint_violation';"
        )
        bodies = {
            f"{self.name}_{verb}": f"BEGIN IF {condition} THEN {raised} END IF; "
            f"RETURN {'OLD' if verb == 'delete' else 'NEW'}; END"
            for verb, condition in self._refused.items()
        }
        return {**bodies, f"{self.name}_truncate": f"BEGIN {raised} END"}

    @cached_property
    def _sqlite(self) -> Triggers:
        said = f"SELECT RAISE(ABORT, '{self.name}: {self.refusal}')"
        return {
            f"{self.name}_{verb}": (
                self.table,
                f"BEFORE {verb.upper()} ON {self.table} WHEN {condition} BEGIN {said}; END",
            )
            for verb, condition in self._refused.items()
        }

    @cached_property
    def _postgresql(self) -> Triggers:
        return {
            f"{self.name}_{verb}": (
                self.table,
                f"BEFORE {verb.upper()} ON {self.table} "
                f"FOR EACH {'STATEMENT' if verb == 'truncate' else 'ROW'} "
                f"EXECUTE FUNCTION {self.name}_{verb}()",
            )
            for verb in (*self._refused, "truncate")
        }
