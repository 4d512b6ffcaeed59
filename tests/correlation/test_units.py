from __future__ import annotations

import pytest

from correlation.units import humanised, span_in_words


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.23, "ratio", "23 %"),
        (0.0004, "ratio", "0.04 %"),
        (1.0, "ratio", "100 %"),
        (0.24, "s", "240 ms"),
        (0.00045, "s", "450 µs"),
        (2.5, "s", "2.5 s"),
        (300.0, "s", "5 min"),
        (0.0, "s", "0 ms"),
        (52_428_800.0, "bytes", "50 MiB"),
        (512.0, "bytes", "512 B"),
        (12.42, "1/s", "12.4/s"),
        (1234.5, "1/s", "1,234/s"),
        (0.42, "cores", "0.42 cores"),
        (3.0, "count", "3"),
        (7.0, "widgets", "7 widgets"),
        (None, "ratio", "unknown"),
        (float("nan"), "s", "unknown"),
    ],
)
def test_humanised_says_values_in_the_readers_units(
    value: float | None, unit: str, expected: str
) -> None:
    assert humanised(value, unit) == expected


def test_a_range_says_both_ends_unless_they_read_alike() -> None:
    assert span_in_words(0.0, 0.0162, "ratio") == "0 % to 1.62 %"
    assert span_in_words(0.03, 0.03, "ratio") == "3 %"
