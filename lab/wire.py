"""How Go's servers write numbers and read times: shared by the lab's Prometheus and Loki."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

Params = Mapping[str, Sequence[str]]
Answer = tuple[int, str, bytes]

_UNITS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?"
)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def first(params: Params, name: str) -> str:
    """A parameter's first value, "" when it is not there, as Go's FormValue."""
    values = params.get(name)
    return values[0] if values else ""


def number_text(value: float) -> str:
    """A sample value as Prometheus writes it: shortest digits, exponents only when extreme."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value != 0 and not 1e-6 <= abs(value) < 1e21:
        return repr(value).replace(".0e", "e")
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def seconds(at_ms: int) -> int | float:
    """A time in milliseconds as the JSON number of seconds: whole ones without a fraction."""
    return at_ms // 1000 if at_ms % 1000 == 0 else at_ms / 1000


def rfc3339_ns(text: str) -> int | None:
    """Epoch nanoseconds of an RFC 3339 time, None when it is not one."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    date, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{zone.replace('Z', '+00:00')}")
    except ValueError:
        return None
    return round(moment.timestamp()) * 10**9 + int((fraction or "").ljust(9, "0") or 0)


def go_float(text: str) -> float | None:
    """A finite decimal number as Go's ParseFloat reads it, None when it is not one."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def duration_seconds(text: str) -> float | None:
    """A duration (number of seconds, or "1h30m" form) in seconds, None when it is not one."""
    value = go_float(text)
    if value is not None:
        return value
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return None
    *parts, milliseconds = (int(part or 0) for part in found.groups())
    total = sum(part * unit for part, unit in zip(parts, _UNITS.values(), strict=True))
    return total + milliseconds / 1000
