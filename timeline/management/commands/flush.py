"""Django's flush, which append-only triggers would refuse."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connections

from timeline import triggers


class Command(Flush):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        triggers.lift(connection)
        try:
            super().handle(**options)
        finally:
            triggers.install(connection)
