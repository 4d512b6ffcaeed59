"""Notices above the board: said when there is something to say, and harmless when broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incidents import notices
from incidents.notices import Notice


@pytest.fixture
def register() -> Iterator[None]:
    kept = dict(notices._notices)
    notices._notices.clear()
    yield
    notices._notices.clear()
    notices._notices.update(kept)


def broken() -> dict[str, object]:
    raise RuntimeError("a bug")


def test_a_broken_notice_costs_no_other(register: None) -> None:
    template = "correlation/_waiting.html"
    numbers = {"waiting": 3, "running": 0, "slots": 10, "oldest_seconds": 9.0}
    notices.register(Notice("broken", template, broken))
    notices.register(Notice("silent", template, lambda: None))
    notices.register(Notice("said", template, lambda: numbers))

    drawn = notices.drawn()

    assert len(drawn) == 1
    assert "3 analyses wait" in drawn[0]
    assert "No worker takes them" in drawn[0]
