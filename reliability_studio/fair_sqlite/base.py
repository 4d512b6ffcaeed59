"""SQLite lets writers in by chance: each looks again every tenth of a second, and whoever looks
at the right moment is next. Fifty at once keep one of them out for the whole timeout, though every
write takes milliseconds. Here writers of the process queue before they ask SQLite; between
processes SQLite's own waiting stays.

A turn lasts from BEGIN IMMEDIATE to the commit, or for one statement outside of a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.utils.asyncio import async_unsafe

from reliability_studio.turns import Turns

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
SQLITE_PATIENCE_SECONDS = 5.0  # sqlite3's own, where OPTIONS say nothing


@cache
def turns_of(database: str) -> Turns:
    return Turns()


class TurnCursor(base.SQLiteCursorWrapper):
    """Outside of a transaction a statement that writes takes a turn of its own."""

    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        if self._writes_alone(query):
            with self.wrapper.turn():
                return super().execute(query, params)
        return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        if self._writes_alone(query):
            with self.wrapper.turn():
                return super().executemany(query, param_list)
        return super().executemany(query, param_list)

    def _writes_alone(self, query: str) -> bool:
        return not self.connection.in_transaction and query.lstrip()[:7].upper().startswith(WRITES)


class DatabaseWrapper(base.DatabaseWrapper):
    _has_turn = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._take_turn()
        try:
            yield
        finally:
            self._give_turn()

    def create_cursor(self, name: Any = None) -> TurnCursor:
        cursor = self.connection.cursor(factory=TurnCursor)
        cursor.wrapper = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
        except BaseException:
            self._give_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]  # not in the stubs
        finally:
            self._give_turn_when_over()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # not in the stubs
        finally:
            self._give_turn_when_over()

    @async_unsafe
    def close(self) -> None:
        try:
            super().close()
        finally:
            self._give_turn_when_over()

    def _take_turn(self) -> None:
        """Raises OperationalError, in SQLite's words, when it does not come in time."""
        if self._has_turn:
            return
        patience = self.settings_dict["OPTIONS"].get("timeout", SQLITE_PATIENCE_SECONDS)
        if not self._turns.take(patience):
            raise OperationalError("database is locked")
        self._has_turn = True

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.give()

    def _give_turn_when_over(self) -> None:
        over = self.connection is None or self.closed_in_transaction
        if over or not self.connection.in_transaction:
            self._give_turn()

    @property
    def _turns(self) -> Turns:
        return turns_of(str(self.settings_dict["NAME"]))
