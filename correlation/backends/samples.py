"""Label sets and samples as Prometheus and Loki write them, parsed strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from correlation.telemetry import Floats
from incidents.outbound.http import HttpSource


@dataclass(frozen=True, eq=False)
class Vector:
    """One labelled series of an answer: times in epoch seconds, ascending; values finite."""

    labels: dict[str, str]
    times: Floats
    values: Floats


def read_labels(http: HttpSource, labels: Any) -> dict[str, str]:
    """Text by name, without NUL characters (databases refuse them)."""
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        http.bad_body("answered a label set that is not text by name")
    return {name: value.replace("\x00", "") for name, value in labels.items()}


def read_vector(http: HttpSource, labels: dict[str, str], pairs: Any) -> tuple[Vector, int]:
    """Samples `[seconds, "value"]` as a series, and how many were dropped as not finite."""
    if not isinstance(pairs, list):
        http.bad_body("answered a series without a list of samples")
    try:
        moments, texts = zip(*pairs, strict=True) if pairs else ((), ())
        if not (set(map(type, moments)) <= {int, float} and set(map(type, texts)) <= {str}):
            raise ValueError
        times = np.array(moments, dtype=np.float64)
        values = np.array([float(text) for text in texts], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        http.bad_body('answered a sample that is not [seconds, "value"]')
    if np.any(np.diff(times) <= 0):
        http.bad_body("answered samples that are not in time order")
    finite = np.isfinite(values)
    return Vector(labels, times[finite], values[finite]), int(np.count_nonzero(~finite))
