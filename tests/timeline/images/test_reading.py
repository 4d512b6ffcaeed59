from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from timeline.images.reading import NotAnImage, read

MOST = 1_000_000


def picture(
    kind: str, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: object
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 3 if mode in ("P", "L") else (9, 99, 199)).save(out, kind, **options)
    return out.getvalue()


def frames(kind: str, count: int) -> bytes:
    out = io.BytesIO()
    first, *rest = [Image.new("RGB", (8, 6), (n, n, n)) for n in range(0, count * 9, 9)]
    first.save(out, kind, save_all=True, append_images=rest, duration=50)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "expected"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")]
)
def test_pictures_are_kept_in_their_format(kind: str, expected: str) -> None:
    kept = read(picture(kind), "a.txt", most_pixels=MOST)

    again = Image.open(io.BytesIO(kept.content))
    assert (kept.format, kept.width, kept.height) == (expected, 8, 6)
    assert (again.format, again.size) == (kind, (8, 6))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_modes_of_png_are_kept(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (8, 6)).save(out, "PNG")

    kept = read(out.getvalue(), "a.png", most_pixels=MOST)

    assert Image.open(io.BytesIO(kept.content)).mode == mode


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_moving_pictures_keep_their_frames(kind: str) -> None:
    kept = read(frames(kind, 3), "a", most_pixels=MOST)

    assert getattr(Image.open(io.BytesIO(kept.content)), "n_frames", 1) == 3


def test_what_a_camera_adds_is_not_kept_and_the_picture_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "taken at home"
    kept = read(picture("JPEG", exif=exif.tobytes()), "a.jpg", most_pixels=MOST)

    assert (kept.width, kept.height) == (6, 8)
    assert b"taken at home" not in kept.content
    assert dict(Image.open(io.BytesIO(kept.content)).getexif()) == {}


def test_what_stands_behind_the_picture_is_not_kept() -> None:
    script = b"<script>alert(1)</script>"

    kept = read(picture("GIF") + script, "a.gif", most_pixels=MOST)

    assert script not in kept.content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7\n",
        b"GIF89a<script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
        b"PK\x03\x04" + b"\x00" * 40,
        b"\xff\xd8\xff\xe0" + b"\x00" * 40,
    ],
)
def test_what_is_no_picture_is_refused_by_its_content(content: bytes) -> None:
    with pytest.raises(NotAnImage, match=r"^a\.png is not a picture that can be read"):
        read(content, "a.png", most_pixels=MOST)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(NotAnImage):
        read(picture(kind, size=(32, 32)), "a.png", most_pixels=MOST)


def test_cut_off_picture_is_refused() -> None:
    whole = picture("PNG", size=(300, 300))

    with pytest.raises(NotAnImage):
        read(whole[: len(whole) // 2], "a.png", most_pixels=MOST)


def bomb(side: int) -> bytes:
    """A PNG that says it is `side` pixels wide and high, and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\x00" * 1000)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("side", [1001, 20_000, 60_000])
def test_pictures_of_too_many_pixels_are_refused_unread(side: int) -> None:
    with pytest.raises(NotAnImage, match=r"more than 1,000,000 pixels"):
        read(bomb(side), "a.png", most_pixels=MOST)


def test_frames_count_as_pixels() -> None:
    with pytest.raises(NotAnImage, match=r"more than 100 pixels"):
        read(frames("GIF", 3), "a.gif", most_pixels=100)
