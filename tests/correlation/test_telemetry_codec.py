"""Telemetry survives storage bit for bit, and damaged bytes are refused in words."""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from correlation import telemetry as values
from correlation.ranking import rank
from correlation.telemetry import (
    Change,
    LogLine,
    LogPattern,
    Series,
    Span,
    Telemetry,
    WorkloadState,
)
from correlation.telemetry_codec import MAGIC, BadTelemetry, decode, encode
from tests.correlation.incidents import incident
from tests.correlation.test_ranking import as_json

floats = st.floats(allow_nan=True, allow_infinity=True, width=64)
words = st.text(st.characters(), max_size=8)  # surrogates too: log stores hold anything
arrays = numpy_st.arrays(np.float64, st.integers(0, 6), elements=floats)
pairs = st.lists(st.tuples(words, words), max_size=3).map(tuple)


def rows(row: Any, /, **strategies: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.builds(row, **strategies), max_size=5).map(tuple)


telemetries = st.builds(
    Telemetry,
    target=st.none() | words,
    started_at=floats,
    as_of=floats,
    baseline=st.tuples(floats, floats),
    window=st.tuples(floats, floats),
    series=rows(Series, service=words, signal=words, times=arrays, values=arrays, unit=words,
                peer=st.none() | words, source=words, query=words),
    logs=rows(LogLine, service=words, at=floats, message=words, level=words, trace_id=words),
    log_patterns=rows(LogPattern, text=words, level=words, step_seconds=floats,
                      counts=st.lists(st.tuples(floats, st.integers()), max_size=3).map(tuple)),
    edges=pairs,
    spans=rows(Span, trace_id=words, span_id=words, parent_id=words, service=words,
               operation=words, kind=st.just("server"), start=floats, seconds=floats,
               failed=st.booleans(), attributes=pairs),
    changes=rows(Change, id=words, service=words, kind=words, at=floats | st.integers(),
                 title=words, files=st.lists(words, max_size=2).map(tuple)),
    workloads=rows(WorkloadState, service=words, workload=words, reason=words, at=floats,
                   count=st.integers(), attributes=pairs),
    roles=st.dictionaries(words, words, max_size=3),
    missing=st.lists(words, max_size=2).map(tuple),
    log_baseline_seconds=floats,
    traces_unbiased=st.booleans(),
)  # fmt: skip


def bits(value: Any) -> Any:
    """`value` with floats as their bits and mappings in order: equal only if nothing changed."""
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.tobytes())
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else struct.pack("<d", value))
    if is_dataclass(value):
        return (type(value), [bits(getattr(value, f.name)) for f in fields(value)])
    if isinstance(value, dict):
        return ("dict", [(bits(k), bits(v)) for k, v in value.items()])
    if isinstance(value, tuple):
        return ("tuple", [bits(item) for item in value])
    return (type(value), value)


@settings(max_examples=60, deadline=None)
@given(telemetries, st.sampled_from(["quick", "small"]))
def test_decode_gives_what_encode_was_given(telemetry: Telemetry, compression: Any) -> None:
    packed = encode(telemetry, compression)

    assert bits(decode(packed)) == bits(telemetry)
    assert encode(decode(packed), compression) == packed


@pytest.mark.parametrize("fault", ["pool", "deploy"])
def test_what_was_kept_ranks_the_same(fault: str) -> None:
    seen = incident(fault, seed=3)

    again = decode(encode(seen))

    assert as_json(rank(again)) == as_json(rank(seen))


def test_encode_keeps_a_shared_time_axis_once() -> None:
    times = np.arange(1000.0) * np.pi

    def telemetry(services: int) -> Telemetry:
        series = tuple(
            Series(f"s{n}", "cpu", times.copy(), np.zeros(1000)) for n in range(services)
        )
        return Telemetry(None, 0.0, 0.0, (0.0, 0.0), (0.0, 1.0), series=series)

    assert len(encode(telemetry(100))) < len(encode(telemetry(1))) + 2000


def document_of(packed: bytes) -> dict[str, Any]:
    body = zlib.decompress(packed[len(MAGIC) + 1 :])
    (length,) = struct.unpack_from("<I", body)
    told: dict[str, Any] = json.loads(body[4 : 4 + length].decode())
    return told


def packed_again(document: dict[str, Any]) -> bytes:
    """The document without any numbers."""
    text = json.dumps(document).encode()
    return MAGIC + b"z" + zlib.compress(struct.pack("<I", len(text)) + text)


PLAIN = Telemetry("cart", 10.0, 20.0, (0.0, 5.0), (5.0, 20.0), roles={"db": "database"})


def test_decode_gives_a_field_that_is_new_since_its_default() -> None:
    document = document_of(encode(PLAIN))
    del document["telemetry"]["roles"]

    assert decode(packed_again(document)).roles == {}


def test_decode_refuses_a_field_that_is_gone_since() -> None:
    document = document_of(encode(PLAIN))
    document["telemetry"]["phase"] = "full moon"

    with pytest.raises(BadTelemetry, match="this version's Telemetry has no phase"):
        decode(packed_again(document))


def test_decode_refuses_a_telemetry_without_its_window() -> None:
    document = document_of(encode(PLAIN))
    del document["telemetry"]["window"]

    with pytest.raises(BadTelemetry, match="the Telemetry lacks its window"):
        decode(packed_again(document))


def test_decode_refuses_rows_of_another_kind() -> None:
    document = document_of(encode(PLAIN))
    rows = {"kind": "Popen", "count": 0, "columns": {}}
    document["telemetry"]["logs"] = {"rows": rows}

    with pytest.raises(BadTelemetry, match="this version knows no Popen"):
        decode(packed_again(document))


@pytest.mark.parametrize(
    "packed",
    [b"", b"RSTE2z", MAGIC, MAGIC + b"q", MAGIC + b"znonsense", encode(incident("pool"))[:-100]],
    ids=["empty", "other format", "no compression", "unknown compression", "nonsense", "cut"],
)
def test_decode_refuses_damaged_bytes(packed: bytes) -> None:
    with pytest.raises(BadTelemetry):
        decode(packed)


def test_decode_refuses_missing_numbers() -> None:
    packed = packed_again(document_of(encode(incident("pool"))))

    with pytest.raises(BadTelemetry, match="lacks some of its numbers"):
        decode(packed)


@pytest.mark.parametrize("value", [{1, 2}, object(), np.zeros((2, 2)), np.array(["a"])])
def test_encode_refuses_what_it_could_not_give_back(value: Any) -> None:
    telemetry = Telemetry(value, 0.0, 0.0, (0.0, 0.0), (0.0, 1.0))

    with pytest.raises(TypeError, match="cannot be kept"):
        encode(telemetry)


def test_every_kind_of_row_in_telemetry_can_be_kept() -> None:
    """A new row class must stand in correlation.telemetry, where decode looks for it."""
    kinds = (Series, LogLine, LogPattern, Span, Change, WorkloadState)

    assert all(getattr(values, kind.__name__) is kind for kind in kinds)
