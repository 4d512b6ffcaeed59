"""Files of images: written once, outside of what the web server serves."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from timeline.images.models import NoteImage, path_of

PARTIAL = ".partial"


def write(path: Path, content: bytes) -> None:
    """Whole or not at all: a file of this name is never seen half written. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f"{path.suffix}{PARTIAL}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content_of(image: NoteImage) -> bytes | None:
    """The stored bytes; None when the file is missing or not the one that was stored."""
    try:
        content = image.path.read_bytes()
    except FileNotFoundError:
        return None
    return content if digest(content) == image.sha256 else None


def wrong_with(told: dict[str, Any]) -> str:
    """What is wrong with the image that an event's data tells of; "" when it is as it says."""
    row = NoteImage.objects.filter(pk=told["id"]).first()
    if row is None or row.sha256 != told["sha256"]:
        return "is not in the database as it was recorded"
    try:
        content = path_of(str(told["id"]), told["format"]).read_bytes()
    except FileNotFoundError:
        return "is missing: there is no such file"
    return "" if digest(content) == told["sha256"] else "has been changed: its file is another"
