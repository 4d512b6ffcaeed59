"""A cursor whose statements PostgreSQL plans once a connection.

Django's cursors put the values into the text, so that every statement is parsed and planned anew:
for the statements of intake that is more work than carrying them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """A cursor like Django's, watched by its query log; on SQLite it is Django's.

    Statements are prepared where the connection's `prepare_threshold` allows it.
    """
    if connection.vendor != "postgresql":
        with connection.cursor() as own:
            yield own
        return
    connection.ensure_connection()
    raw: Any = psycopg.Cursor(connection.connection)
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with make(raw) as prepared:
        yield prepared
