"""The database itself keeps the audit append-only (`accounts.append_only`)."""

from __future__ import annotations

from accounts.append_only import Guard
from accounts.audit.models import AuditAnchor, AuditEntry

ENTRIES = AuditEntry._meta.db_table
LAST = f"FROM {ENTRIES} e ORDER BY e.seq DESC LIMIT 1"

GUARD = Guard(
    name="audit",
    entry="entry",
    entries=ENTRIES,
    anchors=AuditAnchor._meta.db_table,
    rules=(
        (
            f"EXISTS (SELECT 1 FROM {ENTRIES} e WHERE e.id = NEW.id)",  # noqa: S608  (no input)
            "an entry is never replaced",
        ),
        (f"NEW.seq <> COALESCE((SELECT seq {LAST}), 0) + 1", "seq must follow the last entry"),
        (
            f"NEW.previous <> COALESCE((SELECT digest {LAST}), '')",
            "previous must be the digest of the last entry",
        ),
    ),
    shrinks="NEW.length < OLD.length OR NEW.id <> OLD.id",
    refusal="entries are append-only",
)
