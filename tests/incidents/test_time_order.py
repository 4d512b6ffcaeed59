"""Moments of an incident keep their order, and a correction is answered by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.time_order import out_of_order

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


MOMENTS = {
    "started_at": START,
    "detected_at": after(2),
    "acknowledged_at": after(5),
    "mitigated_at": after(20),
    "resolved_at": None,
}
NOW = after(60)


@pytest.mark.parametrize(
    ("corrected", "wrong"),
    [
        ({"started_at": after(-30)}, set()),
        ({"started_at": after(2)}, set()),
        ({"started_at": after(3)}, {"started_at"}),
        ({"detected_at": after(-1)}, {"detected_at"}),
        ({"detected_at": after(40)}, set()),
        ({"detected_at": after(61)}, {"detected_at"}),
        ({"acknowledged_at": after(20)}, set()),
        ({"acknowledged_at": after(21)}, {"acknowledged_at"}),
        ({"acknowledged_at": after(-1)}, {"acknowledged_at"}),
        ({"started_at": after(10), "detected_at": after(11)}, {"started_at"}),
        ({"started_at": after(4), "detected_at": after(4)}, set()),
    ],
)
def test_out_of_order_names_the_corrected_moment(
    corrected: dict[str, datetime], wrong: set[str]
) -> None:
    assert set(out_of_order(MOMENTS, corrected, NOW)) == wrong


def test_out_of_order_does_not_answer_for_older_disorder() -> None:
    disordered = {**MOMENTS, "acknowledged_at": after(30)}

    assert out_of_order(disordered, {"detected_at": after(1)}, NOW) == {}
