"""Writes what somebody did into the audit, in the transaction of the doing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from accounts import chain, origin
from accounts.audit.chaining import chain_after_commit
from accounts.audit.models import NAME_LENGTH, AuditDraft, AuditEntry
from accounts.audit.words import kind_of

ActorKind = AuditEntry.ActorKind
LONGEST_VALUE = 20_000  # letters of one value; what is longer ends in how much was left out


def record(
    action: str,
    target: models.Model | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    actor: Any = None,
    reason: str = "",
) -> None:
    """One entry: `action` (thing.what) was done to `target`, which changed from `before` to
    `after`.

    Who did it, and from where, is the request's or command's (`accounts.origin`); `actor` names
    the person where the request does not know them yet: at sign-in. Machine work has no origin:
    nothing is written then. The entry stands or falls with the caller's transaction; a value
    that JSON has no word for is written as its text.
    """
    found = origin.current()
    if found is None:
        return
    said = {
        "id": uuid.uuid4(),
        "action": action,
        **who_acts(found, actor),
        "address": found.address,
        "request_id": found.request_id,
        "via": found.via[:300],
        "target_type": kind_of(type(target)) if target is not None else "",
        "target_id": str(target.pk) if target is not None else "",
        "target_name": str(target)[:NAME_LENGTH] if target is not None else "",
        "reason": reason,
        "before": None if before is None else plain(before),
        "after": None if after is None else plain(after),
    }
    AuditDraft.objects.create(said=chain.canonical(said))
    chain_after_commit()


def plain(value: Any) -> Any:
    """The value as JSON can say it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON knows no infinities
    if isinstance(value, datetime):
        return chain.canonical({"at": value})[7:-2] if value.tzinfo else value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [
            plain(item)
            for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)
        ]
    text = value.isoformat() if isinstance(value, date | time) else str(value)
    if len(text) > LONGEST_VALUE:
        return f"{text[:LONGEST_VALUE]}… and {len(text) - LONGEST_VALUE} letters more"
    return text


def who_acts(found: origin.Origin, actor: Any = None) -> dict[str, Any]:
    """{actor_kind, actor, actor_name, token} of an entry; `actor` as `record` takes it."""
    if found.request is None:
        name = f"{found.person} on the command line"
        return {
            "actor_kind": ActorKind.COMMAND.value,
            "actor": None,
            "actor_name": name[:NAME_LENGTH],
            "token": None,
        }
    user = actor if actor is not None else getattr(found.request, "user", None)
    token = getattr(found.request, "auth", None)
    person = user.pk if isinstance(user, get_user_model()) and user.pk else None
    if token is not None and hasattr(token, "token_hash"):
        name = f"{user} (token {token.name})" if person else f"token {token.name}"
        kind, token_id = ActorKind.TOKEN, token.pk
    else:
        kind = ActorKind.PERSON if person else ActorKind.NOBODY
        name, token_id = str(user) if person else "nobody", None
    return {
        "actor_kind": kind.value,
        "actor": person,
        "actor_name": name[:NAME_LENGTH],
        "token": token_id,
    }
