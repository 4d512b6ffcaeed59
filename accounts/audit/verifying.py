"""Is the audit what was written? Reads the chain from the start and compares its anchor."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import chain
from accounts.audit.models import AuditAnchor, AuditDraft, AuditEntry


@dataclass(frozen=True)
class Verification:
    """`bad_seq` is the first entry that is not as it was written, with the `reason`.

    `length` entries were found intact, `head` is the last one's digest; `drafts` are written and
    not chained yet.
    """

    length: int
    head: str
    drafts: int
    bad_seq: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        return not self.reason


def verify() -> Verification:
    drafts = AuditDraft.objects.count()
    # the anchor first: entries that are chained meanwhile are more than it says, never fewer
    anchor = AuditAnchor.objects.first()
    expected = anchor.length if anchor else 0
    length, head, at_anchor = 0, chain.START, chain.START
    for entry in AuditEntry.objects.order_by("seq").iterator(chunk_size=2000):
        if wrong := chain.fault_of(entry, length + 1, head, "entry"):
            return Verification(length, head, drafts, min(entry.seq, length + 1), wrong)
        length, head = entry.seq, entry.digest
        if length == expected:
            at_anchor = head
    if length < expected:
        gone = f"entries {length + 1} to {expected} have been deleted"
        return Verification(length, head, drafts, length + 1, gone)
    if anchor is None and length:
        return Verification(length, head, drafts, 1, "the anchor is missing")
    if anchor is not None and at_anchor != anchor.head:
        return Verification(
            length, head, drafts, expected, f"the anchor ends at entry {expected} otherwise"
        )
    now = AuditAnchor.objects.first()
    if now is not None and now.length < length:
        late = f"the anchor ends at entry {now.length}"
        return Verification(length, head, drafts, now.length + 1, late)
    return Verification(length, head, drafts)
