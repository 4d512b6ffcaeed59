"""`Telemetry` as bytes and back, every number exactly as it was. Pure.

Layout: `RSTE`, a format digit, a compression letter, then compressed: the length of a JSON
document (uint32, little endian), the document, and the numbers of its arrays. The document names
every field, so that a field which Telemetry has got since takes its default; one that it no longer
has cannot be honoured and is refused. Rows (series, lines, spans...) lie column by column. Arrays
are little endian with their bytes transposed (all first bytes, all second bytes...: neighbours in
time share their high bytes, which is what makes them compress) and stored once however often used.
"""

from __future__ import annotations

import json
import lzma
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from correlation import telemetry as values
from correlation.telemetry import Telemetry

MAGIC = b"RSTE1"
LARGEST_BYTES = 512_000_000
"""What a document may unpack to: a snapshot of a few megabytes never comes near."""

_UTF8 = ("utf-8", "surrogatepass")
"""Lone surrogates too: a log store may hold anything."""

Compression = Literal["quick", "small"]
_PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"z": lambda body: zlib.compress(body, 6),
    b"x": lambda body: lzma.compress(body, preset=6),
}
_LETTERS: dict[Compression, bytes] = {"quick": b"z", "small": b"x"}


class BadTelemetry(ValueError):
    """Bytes that are no telemetry this version can read; the text says why."""


def encode(telemetry: Telemetry, compression: Compression = "quick") -> bytes:
    """The bytes of `telemetry`; the same for the same values, whichever process wrote them.

    `small` takes several times as long and somewhat less room. Raises TypeError for a value that is
    no text, number, tuple, dictionary, array of numbers or row of `correlation.telemetry`.
    """
    arrays = _Arrays()
    document = {
        "telemetry": {f.name: _told(getattr(telemetry, f.name), arrays) for f in fields(telemetry)},
        "arrays": arrays.table,
    }
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(*_UTF8)
    body = b"".join([struct.pack("<I", len(text)), text, *arrays.blocks])
    letter = _LETTERS[compression]
    return MAGIC + letter + _PACKERS[letter](body)


def decode(packed: bytes) -> Telemetry:
    """What `encode` was given; raises BadTelemetry."""
    if packed[: len(MAGIC)] != MAGIC:
        raise BadTelemetry("these bytes are no telemetry of format 1")
    try:
        body = _unpacked(packed[len(MAGIC) : len(MAGIC) + 1], packed[len(MAGIC) + 1 :])
        (length,) = struct.unpack_from("<I", body)
        document = json.loads(body[4 : 4 + length].decode(*_UTF8))
        arrays = _read_arrays(document["arrays"], body[4 + length :])
        return _made(Telemetry, {k: _read(v, arrays) for k, v in document["telemetry"].items()})
    except BadTelemetry:
        raise
    except (ValueError, TypeError, KeyError, IndexError, struct.error, zlib.error,
            lzma.LZMAError) as error:  # fmt: skip
        raise BadTelemetry(f"the telemetry is damaged: {error}") from error


def _unpacked(letter: bytes, packed: bytes) -> bytes:
    unpacker: Any
    if letter == b"z":
        unpacker = zlib.decompressobj()
    elif letter == b"x":
        unpacker = lzma.LZMADecompressor()
    else:
        raise BadTelemetry(f"the telemetry is packed in an unknown way, {letter!r}")
    body: bytes = unpacker.decompress(packed, LARGEST_BYTES)
    if not unpacker.eof:
        raise BadTelemetry("the telemetry is cut short or larger than can be")
    return body


class _Arrays:
    """The arrays of one document: each once, found again by its bytes."""

    def __init__(self) -> None:
        self.table: list[list[Any]] = []
        self.blocks: list[bytes] = []
        self._places: dict[tuple[str, bytes], int] = {}

    def place(self, array: NDArray[Any]) -> int:
        if array.ndim != 1 or array.dtype.kind not in "fiub":
            raise TypeError(f"an array of {array.ndim} dimensions of {array.dtype} cannot be kept")
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        key = (plain.dtype.str, plain.tobytes())
        if key not in self._places:
            self._places[key] = len(self.table)
            self.table.append([key[0], int(plain.size)])
            self.blocks.append(_transposed(key[1], plain.size))
        return self._places[key]


def _transposed(block: bytes, rows: int) -> bytes:
    if rows == 0:
        return block
    return np.frombuffer(block, dtype=np.uint8).reshape(rows, -1).T.tobytes()


def _read_arrays(table: Sequence[Any], blocks: bytes) -> list[NDArray[Any]]:
    found, at = [], 0
    for kind, size in table:
        dtype = np.dtype(kind)
        end = at + dtype.itemsize * size
        if end > len(blocks):
            raise BadTelemetry("the telemetry lacks some of its numbers")
        plain = _transposed(blocks[at:end], dtype.itemsize) if size else b""
        found.append(np.frombuffer(plain, dtype=dtype).astype(dtype.newbyteorder("=")))
        at = end
    return found


def _told(value: Any, arrays: _Arrays) -> Any:
    """`value` as JSON: what JSON has no word for becomes a mapping with one key that names it."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)  # its repr reads back as the same number
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.ndarray):
        return {"array": arrays.place(value)}
    if isinstance(value, dict):
        return {"pairs": [[_told(k, arrays), _told(v, arrays)] for k, v in value.items()]}
    if isinstance(value, (tuple, list)):
        if value and is_dataclass(value[0]) and len({type(row) for row in value}) == 1:
            return {"rows": _rows(value, arrays)}
        return [_told(item, arrays) for item in value]
    if is_dataclass(value):
        return {"rows": _rows([value], arrays), "one": True}
    raise TypeError(f"a {type(value).__name__} cannot be kept")


def _rows(rows: Sequence[Any], arrays: _Arrays) -> dict[str, Any]:
    kind = type(rows[0])
    if getattr(values, kind.__name__, None) is not kind:
        raise TypeError(f"a {kind.__name__} cannot be kept")
    columns = {f.name: _column([getattr(r, f.name) for r in rows], arrays) for f in fields(kind)}
    return {"kind": kind.__name__, "count": len(rows), "columns": columns}


def _column(cells: list[Any], arrays: _Arrays) -> Any:
    """Numbers as one array, words that recur by their place in a list of them."""
    if all(isinstance(cell, float) for cell in cells):
        return {"floats": arrays.place(np.array(cells, dtype=np.float64))}
    if all(isinstance(cell, str) for cell in cells):
        places = {word: n for n, word in enumerate(dict.fromkeys(cells))}
        if 2 * len(places) <= len(cells):
            return {"words": list(places), "at": [places[cell] for cell in cells]}
    return {"cells": [_told(cell, arrays) for cell in cells]}


def _read(told: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(told, list):
        return tuple(_read(item, arrays) for item in told)
    if not isinstance(told, dict):
        return told
    if "array" in told:
        return arrays[told["array"]]
    if "pairs" in told:
        return {_read(k, arrays): _read(v, arrays) for k, v in told["pairs"]}
    rows = told["rows"]
    kind = getattr(values, str(rows["kind"]), None)
    if kind is None or not is_dataclass(kind):
        raise BadTelemetry(f"this version knows no {rows['kind']}")
    columns = {name: _read_column(column, arrays) for name, column in rows["columns"].items()}
    if any(len(cells) != rows["count"] for cells in columns.values()):
        raise BadTelemetry(f"the columns of {rows['kind']} differ in length")
    made = tuple(
        _made(kind, {name: cells[n] for name, cells in columns.items()})
        for n in range(rows["count"])
    )
    return made[0] if told.get("one") else made


def _read_column(column: Any, arrays: list[NDArray[Any]]) -> Sequence[Any]:
    if "floats" in column:
        floats: list[Any] = arrays[column["floats"]].tolist()
        return floats
    if "words" in column:
        return [column["words"][n] for n in column["at"]]
    return [_read(cell, arrays) for cell in column["cells"]]


def _made(kind: Any, given: dict[str, Any]) -> Any:
    known = {f.name: f for f in fields(kind)}
    for name in given:
        if name not in known:
            raise BadTelemetry(f"this version's {kind.__name__} has no {name}")
    for name, field in known.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise BadTelemetry(f"the {kind.__name__} lacks its {name}")
    return kind(**given)
