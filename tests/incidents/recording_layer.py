"""A channel layer that keeps what is sent to it, and fails while it is told to."""

from __future__ import annotations

from typing import Any

from channels.layers import BaseChannelLayer

BACKEND = {"default": {"BACKEND": "tests.incidents.recording_layer.RecordingLayer"}}


class RecordingLayer(BaseChannelLayer):
    sent: list[tuple[str, dict[str, Any]]]

    def __init__(self, expiry: int = 60, capacity: int = 100, **options: Any) -> None:
        super().__init__(expiry, capacity, **options)
        self.sent = []
        self.down = False
        self.refused = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.down:
            self.refused += 1
            raise ConnectionError("the channel layer is down")
        self.sent.append((group, message))
