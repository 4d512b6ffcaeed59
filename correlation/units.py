"""Values with their units, in the reader's words. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
TRAILING = {"1/s": "/s", "cores": " cores", "count": ""}


def digits(value: float, significant: int = 3) -> str:
    """Plain decimals with about `significant` figures: 1234.5 -> 1,234; 0.01234 -> 0.0123."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -6:
        return f"{value:.{significant - 1}e}"
    places = max(0, significant - 1 - magnitude)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def humanised(value: float | None, unit: str) -> str:
    """0.23 ratio -> "23 %", 0.24 s -> "240 ms", 52428800 bytes -> "50 MiB"; None -> "unknown".

    Units are those of Series (telemetry.py): ratio, s, 1/s, bytes, cores, count; any other is
    written after the number.
    """
    if value is None or not math.isfinite(value):
        return "unknown"
    if unit == "ratio":
        return f"{digits(value * 100)} %"
    if unit == "s":
        return seconds_in_words(value)
    if unit == "bytes":
        return bytes_in_words(value)
    return digits(value) + TRAILING.get(unit, f" {unit}" if unit else "")


def span_in_words(low: float, high: float, unit: str) -> str:
    """A range as one phrase: "0 % to 1.62 %", or one value where both ends read alike."""
    first, last = humanised(low, unit), humanised(high, unit)
    return first if first == last else f"{first} to {last}"


def seconds_in_words(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0 ms"
    if size < 0.001:
        return f"{digits(value * 1e6)} µs"
    if size < 1:
        return f"{digits(value * 1000)} ms"
    return f"{digits(value)} s" if size < 120 else f"{digits(value / 60)} min"


def bytes_in_words(value: float) -> str:
    step = 0
    while abs(value) >= 1024 and step < len(BYTES) - 1:
        value /= 1024
        step += 1
    return f"{digits(value)} {BYTES[step]}"


def clock(at: float) -> str:
    """Epoch seconds as a time of day, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")
