"""What of a channel's queue goes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from incidents.notify.bundling import Waiting, choose

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)


def row(
    pk: int,
    incident: UUID = A,
    *,
    attempts: int = 0,
    due: float = -1,
    bundle: int | None = None,
) -> Waiting:
    """`due` is in seconds from now."""
    return Waiting(pk, incident, attempts, NOW + timedelta(seconds=due), bundle)


@pytest.mark.parametrize(
    ("rows", "sent", "chosen"),
    [
        ([], 0, ()),
        ([row(1), row(2)], 0, (1,)),
        # not due, and what stands behind it of the same incident
        ([row(1, due=60), row(2), row(3, B)], 0, (3,)),
        # failed and resting, likewise
        ([row(1, attempts=2, due=60), row(2), row(3, B)], 0, (3,)),
        # its rest is over, and it was due before the others
        ([row(1, attempts=2, due=-5), row(2), row(3, B, due=-1)], 0, (1,)),
        ([row(1, attempts=2, due=-1), row(2), row(3, B, due=-5)], 0, (3,)),
        # more than three of a window go as one
        ([row(1), row(2, B), row(3), row(4)], 0, (1, 2, 3, 4)),
        ([row(1), row(2, B)], 2, (1, 2)),
        ([row(1)], 2, (1,)),
        # the window is full
        ([row(1)], 3, ()),
        ([row(1), row(2, B)], 3, ()),
        ([row(1, attempts=1), row(2, B)], 3, (1,)),
        # what was tried alone is not bundled, what was bundled is not sent alone
        ([row(1, attempts=1, due=-9), row(2, B), row(3, B), row(4, B), row(5, B)], 0, (2, 3, 4, 5)),
        ([row(1, attempts=1, due=60), row(2, B, bundle=1)], 0, ()),
        ([row(1, attempts=1), row(2, B, bundle=1), row(3, B)], 0, (1,)),
    ],
)
def test_choose_takes_the_next_message(
    rows: list[Waiting], sent: int, chosen: tuple[int, ...]
) -> None:
    assert choose(rows, sent, NOW, at_most=3) == chosen


def test_choose_never_bundles_without_a_limit() -> None:
    rows = [row(pk, UUID(int=pk)) for pk in range(1, 30)]

    assert choose(rows, 100, NOW, at_most=0) == (1,)
