"""A receiver of notifications: keeps what was posted to it, for people to look at."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from lab.webhooks import rfc3339

MOST_KEPT = 100
SHOWN_HEADERS = ("Content-Type", "Idempotency-Key", "X-Studio-Timestamp", "X-Studio-Signature")


class Inbox:
    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self._lock = threading.Lock()

    def take(self, headers: Mapping[str, str], body: str) -> None:
        shown = {name: headers[name] for name in SHOWN_HEADERS if name in headers}
        with self._lock:
            self._kept.appendleft({"at": rfc3339(time.time()), "headers": shown, "body": body})

    def newest(self) -> list[dict[str, Any]]:
        """[{at, headers, body}], at most MOST_KEPT."""
        with self._lock:
            return list(self._kept)
