"""A moment in the past as an option of a command: a date, or a time with its zone."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, time

from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str) -> datetime:
    """2026-05-01 (its first second, UTC) or 2026-05-01T12:00:00Z."""
    try:
        day = parse_date(text)
        at = datetime.combine(day, time(), UTC) if day is not None else parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is not a day or a time with its zone, like 2026-05-01")
    return at
