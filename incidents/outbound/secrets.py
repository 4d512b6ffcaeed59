"""Secrets of servers that are asked: named by a row, read at each use, never stored."""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.conf import settings

MOST_BYTES = 16_384
OWN_SECRETS = frozenset(
    {
        "ALERTMANAGER_TOKEN",
        "DATABASE_URL",
        "EMAIL_HOST_PASSWORD",
        "GRAFANA_ADMIN_PASSWORD",
        "LAB_TOKEN",
        "METRICS_TOKEN",
        "PGPASSWORD",
        "POSTGRES_PASSWORD",
        "REDISCLI_AUTH",
        "REDIS_PASSWORD",
        "REDIS_URL",
        "SECRET_KEY",
        "STUDIO_ADMIN_PASSWORD",
    }
)
"""The product's own: no row may carry them to another server."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]* +\S")


class SecretMissing(ValueError):
    """The secret a row names cannot be had; the text says which and why."""


def authorization(owner: str, variable: str, file: str) -> str:
    """The Authorization header's value that a row names, "" when it names none.

    `owner` is the row in words, such as "data source prometheus".
    A value without a scheme is a bearer token. Raises SecretMissing.
    """
    value = named_secret(owner, variable, file)
    return value if not value or _SCHEME.match(value) else f"Bearer {value}"


def named_secret(owner: str, variable: str, file: str) -> str:
    """The one line of text that a row names, "" when it names none. Raises SecretMissing."""
    if variable:
        what = f"the variable {variable} named by {owner}"
        if variable in OWN_SECRETS:
            raise SecretMissing(f"{what} is a secret of the product itself")
        value = os.environ.get(variable, "")
        if not value.strip():
            raise SecretMissing(f"{what} is not set")
    elif file:
        what = f"the file {file} named by {owner}"
        value = _read(file, what)
    else:
        return ""
    value = value.strip()
    if not value.isascii() or not value.isprintable():
        raise SecretMissing(f"{what} holds more than one line of plain text")
    return value


def secret_path(file: str) -> Path | None:
    """Where a secret file lies, links followed; None when that is not under SECRETS_DIR."""
    folder = Path(settings.SECRETS_DIR).resolve()
    path = (folder / file).resolve()
    return path if path.is_relative_to(folder) and path != folder else None


def file_problem(path: str) -> str:
    """Why a file cannot be read, "" when it can."""
    try:
        with Path(path).open("rb") as opened:
            opened.read(1)
    except OSError as error:
        return (error.strerror or "cannot be read").lower()
    except ValueError:
        return "is no path"
    return ""


def _read(file: str, what: str) -> str:
    try:
        path = secret_path(file)
    except (OSError, ValueError, RuntimeError):
        raise SecretMissing(f"{what} is no path") from None
    if path is None:
        raise SecretMissing(f"{what} does not lie under {settings.SECRETS_DIR}")
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        words = (error.strerror or "unknown reason").lower()
        raise SecretMissing(f"{what} cannot be read: {words}") from None
    if len(content) > MOST_BYTES:
        raise SecretMissing(f"{what} is larger than {MOST_BYTES} bytes")
    if not content.strip():
        raise SecretMissing(f"{what} is empty")
    return content.decode("utf-8", "replace")
