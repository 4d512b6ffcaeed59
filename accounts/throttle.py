"""Counts failed logins per account and per address, in the cache that all processes share.

A window starts at the first failure and ends LOGIN_ATTEMPTS_WINDOW_SECONDS later; at the limit
everything is refused until then, the right password included. Attempts already being checked
when the limit is reached still count, so a burst may exceed it by the number of threads.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError

from accounts.address import network

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Redis down must neither lock everybody out nor open the door: count in this process
own = LocMemCache("login-attempts", {})


def wait_seconds(account: str, address: str | None) -> int:
    """Seconds until a login may be tried again; 0 is now. `address` None is not counted."""
    return _with_cache(lambda store: max(_wait(store, *slot) for slot in _slots(account, address)))


def note_failure(account: str, address: str | None) -> None:
    def count(store: BaseCache) -> None:
        for key, _ in _slots(account, address):
            _count(store, key)

    _with_cache(count)


def note_success(account: str) -> None:
    """Forgives the account; the address stays counted, or one good login would reset it."""
    key = _slots(account, None)[0][0]
    _with_cache(lambda store: store.delete_many([key, f"{key}:since"]))


def _slots(account: str, address: str | None) -> list[tuple[str, int]]:
    slots = [(_key("account", account), settings.LOGIN_ATTEMPTS_PER_ACCOUNT)]
    if address is not None:
        slots.append((_key("address", network(address)), settings.LOGIN_ATTEMPTS_PER_ADDRESS))
    return slots


def _key(kind: str, name: str) -> str:
    return f"login:{kind}:{hashlib.sha256(name.encode(errors='replace')).hexdigest()}"


def _wait(store: BaseCache, key: str, limit: int) -> int:
    if store.get(key, 0) < limit:
        return 0
    since = store.get(f"{key}:since")
    if since is None:  # the window is just ending
        return 1
    return max(1, math.ceil(since + settings.LOGIN_ATTEMPTS_WINDOW_SECONDS - time.time()))


def _count(store: BaseCache, key: str) -> None:
    window = settings.LOGIN_ATTEMPTS_WINDOW_SECONDS
    if store.add(key, 0, window):
        store.set(f"{key}:since", time.time(), window)
    try:
        store.incr(key)
    except ValueError:  # the window ended between the two
        store.set(key, 1, window)
        store.set(f"{key}:since", time.time(), window)


def _with_cache(use: Callable[[BaseCache], T]) -> T:
    try:
        return use(cache)
    except RedisError:
        logger.exception("the cache is down: login attempts are counted in this process only")
        return use(own)
