"""Which images are attached to which event."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone

from incidents.models import Incident


class NoteImage(models.Model):
    """An image as it was stored; the event's data says the same, so that its digest covers it.

    `sha256` is of the stored file, which is `path`.
    """

    class Format(models.TextChoices):
        PNG = "png"
        JPEG = "jpeg"
        GIF = "gif"
        WEBP = "webp"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="note_images")
    event = models.ForeignKey("timeline.TimelineEvent", models.PROTECT, related_name="images")
    name = models.CharField(max_length=100, help_text="What its sender called it.")
    format = models.CharField(max_length=8, choices=Format.choices)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="Bytes of the stored file.")
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["added_at", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/incidents/{self.incident_id}/images/{self.id}"

    @property
    def path(self) -> Path:
        """Named by nothing that its sender chose."""
        return path_of(str(self.id), self.format)

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"


def path_of(image_id: str, image_format: str) -> Path:
    directory: Path = settings.NOTE_IMAGES_DIR
    return directory / image_id[:2] / f"{image_id}.{image_format}"
