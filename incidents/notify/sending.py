"""Sends one message through one channel and says how it went; touches no row."""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone

from incidents.models import NotificationChannel
from incidents.models.channel import PAGERDUTY_URL
from incidents.notify.answers import THROTTLED, Outcome, Result, outcome_of, retry_after
from incidents.notify.events import Kind
from incidents.notify.messages import cloudevents, pagerduty, slack
from incidents.notify.messages.mail import mail
from incidents.notify.messages.message import Message
from incidents.notify.smtp import Backend
from incidents.outbound.errors import BackendError, plain
from incidents.outbound.posting import post
from incidents.outbound.secrets import SecretMissing, named_secret

JSON = "application/json; charset=utf-8"


def send(channel: NotificationChannel, message: Message) -> Result:
    """One attempt. Whatever goes wrong is a Result; its words hold no secret."""
    began = time.monotonic()

    def taken() -> float:
        return time.monotonic() - began

    try:
        if channel.kind == Kind.EMAIL:
            return _mailed(channel, message, taken)
        return _posted(channel, message, taken)
    except SecretMissing as error:
        return Result("failed", str(error), taken())
    except BackendError as error:
        return Result("failed", error.detail, taken(), error.status)


def _posted(channel: NotificationChannel, message: Message, taken: Callable[[], float]) -> Result:
    owner = f"the channel {channel.name}"
    url = named_secret(owner, channel.url_variable, channel.url_file) or channel.url
    secret = named_secret(owner, channel.secret_variable, channel.secret_file)
    headers = {"Content-Type": JSON, "Idempotency-Key": message.key}
    if channel.kind == Kind.SLACK:
        content = _encoded(slack.body(message))
    elif channel.kind == Kind.PAGERDUTY:
        url = (url or PAGERDUTY_URL).rstrip("/") + pagerduty.PATH
        content = _encoded(pagerduty.body(message, secret))
    else:
        content = _encoded(cloudevents.body(message))
        headers |= {"Content-Type": cloudevents.CONTENT_TYPE, **_signed(secret, content)}
    answer = post(
        "receiver",
        url,
        content,
        headers=headers,
        timeout_seconds=channel.timeout_seconds,
        verify=(channel.ca_file or True) if channel.verify_tls else False,
    )
    asked = retry_after(answer.headers.get("Retry-After"), timezone.now())
    return Result(
        outcome_of(answer.status),
        _without(f"{answer.status} {plain(answer.text)}".strip(), url, secret),
        taken(),
        answer.status,
        asked if answer.status in THROTTLED else None,
    )


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _signed(secret: str, content: bytes) -> dict[str, str]:
    if not secret:
        return {}
    now = int(time.time())
    return {
        cloudevents.TIMESTAMP_HEADER: str(now),
        cloudevents.SIGNATURE_HEADER: cloudevents.signature(secret, now, content),
    }


def _without(text: str, *secrets: str) -> str:
    """A receiver may answer with what it was sent."""
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "…")
    return text


def _mailed(channel: NotificationChannel, message: Message, taken: Callable[[], float]) -> Result:
    if not settings.EMAIL_HOST:
        return Result("failed", "no mail server is set: EMAIL_HOST", taken())
    letter = mail(message, settings.DEFAULT_FROM_EMAIL, list(channel.recipients))
    try:
        said = _handed_over(letter, channel.timeout_seconds)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        permanent = all(code >= 500 for code in codes)
        words = "; ".join(f"{who}: {_words(*why)}" for who, why in error.recipients.items())
        return Result("refused" if permanent else "failed", plain(words), taken(), codes[0])
    except smtplib.SMTPResponseException as error:
        kind: Outcome = "refused" if _is_refusal(error) else "failed"
        code = error.smtp_code if error.smtp_code > 0 else None
        return Result(kind, plain(_words(error.smtp_code, error.smtp_error)), taken(), code)
    except TimeoutError:
        words = f"the mail server did not answer within {channel.timeout_seconds:.2g} s"
        return Result("failed", words, taken())
    except (smtplib.SMTPException, OSError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Result("failed", plain(f"mail server {settings.EMAIL_HOST}: {why}"), taken())
    return Result("sent", said, taken(), 250)


def _handed_over(letter: EmailMultiAlternatives, within_seconds: float) -> str:
    """What there is to say of a letter that was taken; raises what smtplib does."""
    backend: Any = get_connection(timeout=within_seconds)
    if not isinstance(backend, Backend):  # a file, the console
        backend.send_messages([letter])
        return "taken"
    refused = backend.deliver(letter, within_seconds)
    if not refused:
        return "taken"
    words = "; ".join(f"{who}: {_words(*why)}" for who, why in refused.items())
    return plain(f"taken, but not for {words}")


def _is_refusal(error: smtplib.SMTPResponseException) -> bool:
    """A message that will never be taken; a login that is refused is somebody's to correct."""
    return error.smtp_code >= 500 and not isinstance(
        error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError
    )


def _words(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {said}".strip()
