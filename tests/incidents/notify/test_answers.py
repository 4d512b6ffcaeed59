"""What receivers answer, and how long one waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incidents.notify.answers import outcome_of, pause_seconds, retry_after

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "sent"),
        (202, "sent"),
        (204, "sent"),
        (301, "failed"),
        (400, "refused"),
        (401, "failed"),
        (404, "failed"),
        (413, "refused"),
        (422, "refused"),
        (429, "failed"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_outcome_of_a_status(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("9" * 30, None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_reads_seconds_and_dates(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    full = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 900.0, 900.0]

    pauses = [pause_seconds(n, "row") for n in range(1, 11)]

    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, full, strict=True))
    assert pauses == [pause_seconds(n, "row") for n in range(1, 11)]
    assert pause_seconds(10_000, "row") <= 900.0


def test_pauses_of_rows_that_failed_together_differ() -> None:
    assert len({pause_seconds(1, f"row {n}") for n in range(50)}) == 50
