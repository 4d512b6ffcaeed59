"""Indexes that only one of the databases has; `install` makes the missing ones after a migrate.

PostgreSQL: trigrams of searched texts (https://www.postgresql.org/docs/current/pgtrgm.html), where
its extension pg_trgm may be created. Each is of upper(column), as Django asks for `icontains`;
words of fewer than three letters use none.

SQLite: states of deliveries. It uses a partial index only where it sees the condition in the
statement, and Django binds the values (https://sqlite.org/partialindex.html, section 3): the
model's partial indexes by state serve PostgreSQL alone.
"""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from incidents.models import Alert, Delivery, Incident

logger = logging.getLogger(__name__)
WORDS = {
    "alert_name_words": (Alert, "name"),
    "incident_title_words": (Incident, "title"),
    "incident_description_words": (Incident, "description"),
    "incident_top_cause_words": (Incident, "top_cause"),
}
ON_POSTGRESQL = [
    f"{name} ON {model._meta.db_table} USING gin (upper({column}::text) gin_trgm_ops)"
    for name, (model, column) in WORDS.items()
]
ON_SQLITE = [f"delivery_state ON {Delivery._meta.db_table} (state, received_at, id)"]


def install(connection: BaseDatabaseWrapper) -> None:
    """Where pg_trgm is missing a search reads every row, and a warning says so."""
    if connection.vendor == "sqlite":
        wanted = ON_SQLITE
    elif _has_trigrams(connection):
        wanted = ON_POSTGRESQL
    else:
        logger.warning(
            "text search reads every row: PostgreSQL's extension pg_trgm is not there and could "
            "not be created; run CREATE EXTENSION pg_trgm as the database's owner, then migrate "
            "again"
        )
        return
    with connection.cursor() as cursor:
        for index in wanted:
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {index}")


def _has_trigrams(connection: BaseDatabaseWrapper) -> bool:
    """Whether pg_trgm is there, created now if it may be."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:  # not shipped, not allowed, or just made by another migrate
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None
