"""Is the audit what was written? Reads the chain from the start and compares its anchor."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max

from accounts.audit.models import AuditAnchor, AuditDraft, AuditEntry
from accounts.chain_walk import End, Fault, walk


@dataclass(frozen=True)
class Verification:
    """`length` entries are as they were written, `head` is the last one's digest; `drafts` are
    written and not chained yet."""

    length: int
    head: str
    drafts: int
    fault: Fault | None

    @property
    def ok(self) -> bool:
        return self.fault is None


def verify() -> Verification:
    """Checks the chain as long as it was when it began."""
    drafts = AuditDraft.objects.count()
    anchor = AuditAnchor.objects.first()
    entries = AuditEntry.objects.order_by("seq")
    if anchor is not None:
        entries = entries.filter(seq__lte=anchor.length)
    walked = walk(
        entries.iterator(chunk_size=2000),
        End(anchor.length, anchor.head) if anchor else None,
        _digest_at,
        "row",
    )
    fault = walked.fault or _past_the_end()
    return Verification(walked.length, walked.head, drafts, fault)


def _past_the_end() -> Fault | None:
    """Entries and anchor are written together: read in this order, none is past its end."""
    last: int = AuditEntry.objects.aggregate(last=Max("seq"))["last"] or 0
    anchor = AuditAnchor.objects.first()
    if anchor is not None and last > anchor.length:
        return Fault(anchor.length + 1, f"it was inserted: the audit ends at row {anchor.length}")
    return None


def _digest_at(seq: int) -> str | None:
    return AuditEntry.objects.filter(seq=seq).values_list("digest", flat=True).first()
