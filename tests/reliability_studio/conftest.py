from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import studio


@pytest.fixture
def start_studio(tmp_path: Path) -> Iterator[Callable[..., studio.Studio]]:
    """Starts `manage.py studio` in a folder of its own; what still runs is killed afterwards."""
    started: list[studio.Studio] = []

    def start(*arguments: str, directory: Path | None = None, **extra: str) -> studio.Studio:
        started.append(studio.start(directory or tmp_path / "state", *arguments, **extra))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
