"""Django's flush, which append-only triggers would refuse."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connections

from accounts import append_only


class Command(Flush):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        for guard in append_only.guards:
            guard.lift(connection)
        try:
            super().handle(**options)
        finally:
            for guard in append_only.guards:
                guard.install(connection)
