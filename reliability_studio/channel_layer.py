"""The in-process channel layer of the embedded server."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.layers import InMemoryChannelLayer


class ThreadSafeInMemoryChannelLayer(InMemoryChannelLayer):
    """InMemoryChannelLayer whose sends may come from another thread's event loop.

    Its queues belong to the loop that receives; a send from a worker thread's own loop
    would wake nobody until that loop next turns (60-900 ms late). The loop is remembered
    at the first `receive`, and sends from elsewhere are handed to it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def receive(self, channel: str) -> Any:
        self._loop = asyncio.get_running_loop()
        return await super().receive(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed() or loop is asyncio.get_running_loop():
            await super().group_send(group, message)
            return
        handed = asyncio.run_coroutine_threadsafe(super().group_send(group, message), loop)
        await asyncio.wrap_future(handed)
