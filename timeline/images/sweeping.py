"""Removes files of images that no note has: a worker was killed between file and note."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings

from timeline.images import store
from timeline.images.models import NoteImage

logger = logging.getLogger("studio.timeline")
OLDEST_SECONDS = 3600.0
"""A file is written before its note; no request takes this long."""
AT_ONCE = 500


def sweep(now: float | None = None) -> int:
    """Remove what is older than OLDEST_SECONDS at `now` (epoch seconds) and no row names; how many.

    Files with names that are not ours stay.
    """
    before = (time.time() if now is None else now) - OLDEST_SECONDS
    removed = 0
    files = _ours(settings.NOTE_IMAGES_DIR, before)
    while together := list(islice(files, AT_ONCE)):
        known = set(
            NoteImage.objects.filter(pk__in={image_id for image_id, _ in together}).values_list(
                "pk", flat=True
            )
        )
        for image_id, path in together:
            if image_id not in known or path.suffix == store.PARTIAL:
                store.remove(path)
                removed += 1
    if removed:
        logger.info("removed %s image files that belong to no note", removed)
    return removed


def _ours(directory: Path, before: float) -> Iterator[tuple[UUID, Path]]:
    """(image, its file) of every file that we named and that was last written before then."""
    for path in directory.glob("??/*"):
        try:
            image_id = UUID(path.name.partition(".")[0])
            if path.is_file() and path.stat().st_mtime < before:
                yield image_id, path
        except (ValueError, FileNotFoundError):
            continue  # not named by us, or gone meanwhile
