"""E-mail: text and HTML, one thread an incident (RFC 5322 section 3.6.4); no I/O.

The first message about an incident has an id made of the thread; the others refer to it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from incidents.notify.messages.message import Message, headline, lines, title_of

MOST_LISTED = 200


def mail(message: Message, sender: str, recipients: list[str]) -> EmailMultiAlternatives:
    host = urlsplit(message.site).hostname or "localhost"
    root = f"<{message.thread}@{host}>"
    headers = {
        "Message-ID": root if message.opens_thread else f"<{message.key}@{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Idempotency-Key": message.key,
    }
    if not message.opens_thread:
        headers |= {"References": root, "In-Reply-To": root}
    context = {
        "title": title_of(message),
        "digest": message.is_digest,
        "link": message.link(),
        "reference": message.facts["reference"],
        "lines": [] if message.is_digest else lines(message.facts),
        "rows": [
            {"link": message.link(told.facts), "headline": headline(told.facts)}
            for told in message.changes[:MOST_LISTED]
        ],
        "more": max(0, len(message.changes) - MOST_LISTED),
        "site": message.site,
    }
    made = EmailMultiAlternatives(
        subject=_one_line(message.subject or title_of(message)),
        body=render_to_string("incidents/notification_mail.txt", context),
        from_email=sender,
        to=recipients,
        headers=headers,
    )
    made.attach_alternative(
        render_to_string("incidents/notification_mail.html", context), "text/html"
    )
    return made


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
