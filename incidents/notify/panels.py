"""What the incident page and the board show of notifications."""

from __future__ import annotations

from incidents import notices
from incidents.live import Panel, register
from incidents.notify import listing
from incidents.notify.outbox import PANEL


def register_panels() -> None:
    template = "incidents/_notifications.html"
    register(Panel(PANEL, template, listing.panel, column="side", order=40))
    notices.register(
        notices.Notice("channels", "incidents/_channels_failing.html", listing.failing_channels)
    )
