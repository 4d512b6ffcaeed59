"""Times as options of commands: `2026-05-01T12:00:00Z`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime

from django.utils.dateparse import parse_datetime


def moment(text: str) -> datetime:
    """For `type=` of an option. Raises ArgumentTypeError."""
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is not a time with its zone, like 2026-05-01T12:00:00Z")
    return at
