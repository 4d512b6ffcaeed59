from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from incidents.models import Incident
from tests.timeline.images.test_attaching import png
from timeline.images import attaching, store, sweeping
from timeline.images.models import NoteImage, path_of

pytestmark = pytest.mark.django_db
NOW = 1_900_000_000.0
LONG_AGO = NOW - sweeping.OLDEST_SECONDS - 1
LOST = UUID("11111111-2222-4333-8444-555555555555")


@pytest.fixture(autouse=True)
def directory(settings: object, tmp_path: Path) -> Path:
    settings.NOTE_IMAGES_DIR = tmp_path / "images"  # type: ignore[attr-defined]
    return tmp_path / "images"


def aged(path: Path, at: float = LONG_AGO) -> Path:
    if not path.exists():
        store.write(path, b"x")
    os.utime(path, (at, at))
    return path


def test_file_without_a_note_goes_and_one_with_a_note_stays(
    make_incident: Callable[..., Incident],
) -> None:
    upload: SimpleUploadedFile = png()
    attaching.add_note(make_incident(), None, "A graph", "", [upload], source="page")
    kept = aged(NoteImage.objects.get().path)
    lost = aged(path_of(str(LOST), "png"))
    partial = aged(lost.with_suffix(".png.partial"))

    removed = sweeping.sweep(NOW)

    assert removed == 2
    assert (kept.exists(), lost.exists(), partial.exists()) == (True, False, False)


def test_file_that_may_still_get_its_note_stays() -> None:
    young = aged(path_of(str(LOST), "png"), at=NOW - sweeping.OLDEST_SECONDS + 1)

    assert sweeping.sweep(NOW) == 0
    assert young.exists()


def test_file_that_we_did_not_name_stays(directory: Path) -> None:
    other = aged(directory / "ab" / "notes.txt")

    assert sweeping.sweep(NOW) == 0
    assert other.exists()


def test_directory_that_is_not_there_yet_has_nothing_to_sweep(directory: Path) -> None:
    assert not directory.exists()
    assert sweeping.sweep(NOW) == 0
