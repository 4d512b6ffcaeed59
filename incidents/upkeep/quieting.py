"""What keeps an alert quiet at its Alertmanager, in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def in_words(by: Mapping[str, Sequence[str]]) -> str:
    """{"silences": ["2c6d"]} -> "silence 2c6d"."""
    one = {"silences": "silence", "alerts": "alert", "intervals": "time interval"}
    parts = [
        f"{one[kind]} {name}" for kind, names in sorted(by.items()) for name in names if kind in one
    ]
    return ", ".join(parts) or "its Alertmanager"
