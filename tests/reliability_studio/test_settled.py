"""What lives as long as a web process is left out of its collections."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from reliability_studio.settled import settle


@pytest.fixture
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_loaded_program_is_not_collected_any_more(thawed: None) -> None:
    settle()

    assert gc.get_freeze_count() > len(gc.get_objects())
