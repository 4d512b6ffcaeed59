"""Slack's incoming webhooks, and what takes the same: `text` and Block Kit `blocks`; no I/O."""

from __future__ import annotations

from typing import Any

from incidents.notify.messages.message import Facts, Message, headline, lines, title_of

MOST_HEADER = 150
MOST_TEXT = 2900
MOST_FIELDS = 10
MOST_FIELD = 400
MOST_LISTED = 25
"""Block Kit's limits are 150, 3000, 10, 2000 and 50 blocks; a digest names so many and counts
the rest."""
MARKS = {"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "🔵"}


def body(message: Message) -> dict[str, Any]:
    title = title_of(message)
    return {"text": cut(escaped(title), MOST_TEXT), "blocks": _blocks(message, title)}


def escaped(text: str) -> str:
    """So that nothing in it is a link, a mention or a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _blocks(message: Message, title: str) -> list[dict[str, Any]]:
    mark = MARKS.get(message.facts["severity"], "") if not message.is_digest else ""
    header = {"type": "plain_text", "text": cut(f"{mark} {title}".strip(), MOST_HEADER)}
    blocks: list[dict[str, Any]] = [{"type": "header", "text": header}]
    if message.is_digest:
        return [*blocks, *_digest(message)]
    blocks += _fields(message.facts)
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": f"Open {message.facts['reference']}"},
        "url": message.link(),
    }
    return [*blocks, {"type": "actions", "elements": [button]}]


def _fields(facts: Facts) -> list[dict[str, Any]]:
    short = [(name, value) for name, value in lines(facts) if len(value) <= 60][:MOST_FIELDS]
    long = [(name, value) for name, value in lines(facts) if len(value) > 60]
    blocks: list[dict[str, Any]] = []
    if short:
        fields = [_mrkdwn(f"*{name}*\n{cut(escaped(value), MOST_FIELD)}") for name, value in short]
        blocks.append({"type": "section", "fields": fields})
    for name, value in long:
        blocks.append(
            {"type": "section", "text": _mrkdwn(f"*{name}*\n{cut(escaped(value), MOST_TEXT)}")}
        )
    return blocks


def _digest(message: Message) -> list[dict[str, Any]]:
    rows = [
        f"• <{message.link(told.facts)}|{told.facts['reference']}> "
        f"{cut(escaped(headline(told.facts)), 200)}"
        for told in message.changes[:MOST_LISTED]
    ]
    blocks = [
        {"type": "section", "text": _mrkdwn("\n".join(rows[start : start + 8]))}
        for start in range(0, len(rows), 8)
    ]
    more = len(message.changes) - MOST_LISTED
    if more > 0:
        note = f"and {more} more, at {message.site}/notifications"
        blocks.append({"type": "section", "text": _mrkdwn(note)})
    return blocks


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}
