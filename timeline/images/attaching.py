"""A note with images: files first, then one event that names them with their digests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import User
from incidents.models import Incident
from timeline.images import store
from timeline.images.models import NoteImage
from timeline.images.reading import NotAnImage, read
from timeline.models import Kind, TimelineAnchor, TimelineEvent
from timeline.record import TimelineSealed, record

__all__ = ["NotAnImage", "add_note"]
NAME_LENGTH = 100


def add_note(
    incident: Incident,
    actor: User | None,
    title: str,
    body: str,
    uploads: Sequence[UploadedFile],
    *,
    source: str,
) -> TimelineEvent:
    """Record a note with these images; without words it is an attachment.

    Raises NotAnImage for what cannot be kept, TimelineSealed, OSError when files cannot be
    written; then nothing is kept.
    """
    _refuse_sealed(incident)
    images = _kept(incident, uploads)
    written: list[Path] = []
    try:
        for image, content in images:
            store.write(image.path, content)
            written.append(image.path)
        with transaction.atomic():
            return _recorded(incident, actor, title, body, [one for one, _ in images], source)
    except BaseException:
        for path in written:
            store.remove(path)
        raise


def _refuse_sealed(incident: Incident) -> None:
    sealed = TimelineAnchor.objects.filter(pk=incident.pk, sealed_at__isnull=False).first()
    if sealed is not None and sealed.sealed_at is not None:
        raise TimelineSealed(incident.pk, sealed.sealed_at)


def _kept(incident: Incident, uploads: Sequence[UploadedFile]) -> list[tuple[NoteImage, bytes]]:
    most: int = settings.NOTE_IMAGES_MOST
    if len(uploads) > most:
        raise NotAnImage(f"A note has at most {most} images.")
    return [_read(incident, upload) for upload in uploads]


def _read(incident: Incident, upload: UploadedFile) -> tuple[NoteImage, bytes]:
    name = _name(upload.name or "")
    limit: int = settings.NOTE_IMAGE_MAX_BYTES
    if (upload.size or 0) > limit:
        raise NotAnImage(f"{name} has more than {limit:,} bytes.")
    picture = read(upload.read(), name, most_pixels=settings.NOTE_IMAGE_MAX_PIXELS)
    image = NoteImage(
        incident=incident,
        name=name,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        size=len(picture.content),
        sha256=store.digest(picture.content),
    )
    return image, picture.content


def _name(given: str) -> str:
    """The last part of what its sender called it, printable and not too long."""
    last = PurePath(given.replace("\\", "/")).name
    clean = "".join(letter for letter in last if letter.isprintable()).strip()
    return clean[-NAME_LENGTH:] or "image"


def _recorded(
    incident: Incident,
    actor: User | None,
    title: str,
    body: str,
    images: Sequence[NoteImage],
    source: str,
) -> TimelineEvent:
    names = ", ".join(image.name for image in images)
    who = actor.username if actor else "Somebody"
    event = record(
        incident_id=incident.pk,
        kind=Kind.NOTE if title else Kind.ATTACHMENT,
        title=title or f"{who} attached {names}",
        body=body,
        source=source,
        actor=actor,
        data={"images": [_told(image) for image in images]} if images else None,
    )
    for image in images:
        image.event = event
    NoteImage.objects.bulk_create(images)
    return event


def _told(image: NoteImage) -> dict[str, object]:
    """What the chain covers of it."""
    return {
        "id": image.pk,
        "name": image.name,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "size": image.size,
        "sha256": image.sha256,
    }
