"""Which of the accounts' rows the audit watches."""

from __future__ import annotations

from accounts import audit
from accounts.models import ApiToken, User


def watch_models() -> None:
    audit.watch(
        User,
        ignore={"last_login"},
        secret={"password"},
        many={"groups", "user_permissions"},
    )
    audit.watch(ApiToken, ignore={"last_used_at"}, secret={"token_hash"})
