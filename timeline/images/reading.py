"""What an uploaded file is, by its content, and the image that is kept of it.

The picture is decoded and written anew: what else a file carries (places, comments, other
formats' code behind the picture) is not kept.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, ImageSequence

FORMATS = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp"}
MOST_FRAMES = 300
QUALITY = 90
MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "JPEG": ("L", "RGB")}


class NotAnImage(Exception):
    """The upload is refused; the words say why, for its sender."""


@dataclass(frozen=True)
class Picture:
    """`content` is the file to keep; `format` one of FORMATS' values."""

    content: bytes
    format: str
    width: int
    height: int


def read(content: bytes, name: str, *, most_pixels: int) -> Picture:
    """The image that `content` is, written anew. Raises NotAnImage for anything but a PNG, JPEG,
    GIF or WebP picture, whatever its name, and for one of more than `most_pixels` (all frames
    together)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(FORMATS)) as image:
                return _kept(image, name, most_pixels)
    except NotAnImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAnImage(f"{name} has more than {most_pixels:,} pixels.") from None
    except Exception as error:
        # decoders raise nearly anything on files that were made to hurt them
        raise NotAnImage(
            f"{name} is not a picture that can be read: PNG, JPEG, GIF or WebP is."
        ) from error


def _kept(image: Image.Image, name: str, most_pixels: int) -> Picture:
    width, height = image.size
    frames = int(getattr(image, "n_frames", 1))
    if frames > MOST_FRAMES:
        raise NotAnImage(f"{name} has {frames} frames; at most {MOST_FRAMES} are kept.")
    if width * height * frames > most_pixels:
        raise NotAnImage(f"{name} has more than {most_pixels:,} pixels.")
    kind = str(image.format)
    written = io.BytesIO()
    if frames > 1 and kind in ("GIF", "WEBP"):
        _write_frames(image, kind, written)
    else:
        image = _upright(image, kind)
        image.save(written, kind, **_options(kind))
    return Picture(written.getvalue(), FORMATS[kind], *image.size)


def _upright(image: Image.Image, kind: str) -> Image.Image:
    """As its camera held it, with nothing but pixels."""
    upright = ImageOps.exif_transpose(image)
    modes = MODES.get(kind)
    if modes and upright.mode not in modes:
        upright = upright.convert("RGB" if kind == "JPEG" else "RGBA")
    clean = upright.copy()
    transparent = clean.info.get("transparency")
    clean.info = {} if transparent is None else {"transparency": transparent}
    return clean


def _options(kind: str) -> dict[str, Any]:
    if kind == "PNG":
        return {"optimize": False}
    return {"quality": QUALITY} if kind in ("JPEG", "WEBP") else {}


def _write_frames(image: Image.Image, kind: str, written: io.BytesIO) -> None:
    durations, frames = [], []
    loop = int(image.info.get("loop", 0))
    for frame in ImageSequence.Iterator(image):
        durations.append(int(frame.info.get("duration", 100)))
        frames.append(frame.convert("RGBA"))
    first, *rest = frames
    first.info = {}
    first.save(
        written,
        kind,
        save_all=True,
        append_images=rest,
        duration=durations,
        loop=loop,
        **_options(kind),
    )
