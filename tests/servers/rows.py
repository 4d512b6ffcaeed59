"""The rows of an installation that runs in other processes, read beside it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

Row = tuple[Any, ...]


def ask(environment: Mapping[str, str], query: str) -> list[Row]:
    """What one query gives in the database that a process with this environment uses."""
    if url := environment.get("DATABASE_URL"):
        with psycopg.connect(url) as connection:
            return connection.execute(query.encode()).fetchall()
    lite = sqlite3.connect(_file(environment), timeout=30)
    try:
        return lite.execute(query).fetchall()
    finally:
        lite.close()


def count(environment: Mapping[str, str], table_and_condition: str) -> int:
    return int(ask(environment, f"SELECT count(*) FROM {table_and_condition}")[0][0])


def name_of(environment: Mapping[str, str]) -> str:
    """What its database is called on PostgreSQL."""
    return urlsplit(environment["DATABASE_URL"]).path.lstrip("/")


def beside(environment: Mapping[str, str], *statements: str) -> None:
    """Run statements on the same PostgreSQL, from another database."""
    other = urlsplit(environment["DATABASE_URL"])._replace(path="/postgres").geturl()
    with psycopg.connect(other, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def copy(original: Mapping[str, str], to: Mapping[str, str]) -> None:
    """Have `to` begin with the rows of `original`; nothing is connected to either."""
    if original.get("DATABASE_URL"):
        ours, theirs = name_of(to), name_of(original)
        beside(to, f"DROP DATABASE {ours}", f"CREATE DATABASE {ours} TEMPLATE {theirs}")
    else:
        _file(to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_file(original), _file(to))


def _file(environment: Mapping[str, str]) -> Path:
    return Path(environment["STUDIO_DIR"]) / "studio.sqlite3"
