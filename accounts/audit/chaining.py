"""Drafts become entries of the chain: after commit, by whoever wrote one, or by the sweep."""

from __future__ import annotations

import json
from uuid import UUID

from django.db import transaction

from accounts import chain
from accounts.audit.models import AuditAnchor, AuditDraft, AuditEntry

AT_ONCE = 500  # drafts chained in one transaction


def chain_drafts() -> int:
    """Append every committed draft to the chain, oldest first; how many there were."""
    done = 0
    while AuditDraft.objects.exists():
        done += _chain_some()
    return done


class _AfterCommit:
    """Robust hooks are named by this when they fail, and fail themselves without it."""

    def __init__(self) -> None:
        self.__qualname__ = "chain_drafts"  # the class's own is not seen on its instances

    def __call__(self) -> None:
        chain_drafts()


def chain_after_commit() -> None:
    """Once for a transaction, however many drafts it wrote; at once outside of one."""
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        chain_drafts()
        return
    if any(isinstance(hook, _AfterCommit) for _ids, hook, _robust in connection.run_on_commit):
        return
    # on_commit() would tie it to the innermost savepoint, whose drafts may not be the only ones
    connection.run_on_commit.append((set(), _AfterCommit(), True))


def _chain_some() -> int:
    with transaction.atomic():
        anchor = _locked_anchor()
        drafts = list(AuditDraft.objects.order_by("pk")[:AT_ONCE])
        entries = [_follow(anchor, draft) for draft in drafts]
        AuditEntry.objects.bulk_create(entries)
        anchor.save(update_fields=["length", "head"])
        AuditDraft.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()
        return len(drafts)


def _locked_anchor() -> AuditAnchor:
    found = AuditAnchor.objects.select_for_update().first()
    if found is None:
        AuditAnchor.objects.bulk_create([AuditAnchor()], ignore_conflicts=True)
        found = AuditAnchor.objects.select_for_update().get()
    return found


def _follow(anchor: AuditAnchor, draft: AuditDraft) -> AuditEntry:
    said = json.loads(draft.said)
    for name in ("id", "actor", "token"):
        said[name] = UUID(said[name]) if said[name] else None
    entry = AuditEntry(
        **{
            "actor_id" if n == "actor" else "token_id" if n == "token" else n: v
            for n, v in said.items()
        },
        seq=anchor.length + 1,
        at=draft.at,
        previous=anchor.head,
    )
    entry.canonical = chain.canonical(entry.entry())
    entry.digest = chain.digest(entry.previous, entry.canonical)
    anchor.length, anchor.head = entry.seq, entry.digest
    return entry
