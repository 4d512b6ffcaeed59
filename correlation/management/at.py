"""The option `--at` of commands that look at telemetry: another moment than now."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import datetime

from django.core.management.base import CommandParser
from django.utils.dateparse import parse_datetime


def add_at(parser: CommandParser) -> None:
    """`options["at"]`: epoch seconds, None for now."""
    parser.add_argument(
        "--at",
        type=_moment,
        metavar="TIME",
        help="look at the 15 minutes before this time (2026-05-01T12:00:00Z) instead of now",
    )


def _moment(text: str) -> float:
    try:
        at: datetime | None = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is not a time with its zone, like 2026-05-01T12:00:00Z")
    if at.timestamp() > time.time():
        raise ArgumentTypeError(f"{text} is in the future")
    return at.timestamp()
