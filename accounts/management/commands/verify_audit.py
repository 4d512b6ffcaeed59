"""Is the audit what was written? Exit 0: yes; 1: no; 2: it could not be checked."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.audit.verifying import verify


class Command(BaseCommand):
    help = "Checks the audit against its hash chain and anchor, and names the first bad entry."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = verify()
        except DatabaseError as error:
            raise CommandError(f"The audit cannot be read: {error}", returncode=2) from error
        if found.fault is not None:
            where = "anchor" if found.fault.seq is None else f"entry {found.fault.seq}"
            raise CommandError(f"{where}: {found.fault.reason}", returncode=1)
        waiting = f", {found.drafts} waiting" if found.drafts else ""
        self.stdout.write(f"{found.length} entries{waiting}, intact, {found.head or 'empty'}")
