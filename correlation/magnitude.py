"""Evidence confidence from magnitude and sample size.

confidence = magnitude x significance x traffic x novelty, each 0..1 and monotone:

- magnitude is a Hill curve x^h / (x^h + k^h) of the change, in terms a responder would use:
  points of error ratio, log of the latency ratio, restarts. For error ratios h = 1.25 and
  k = 0.03615 are solved from the two anchors of DESIGN.md section 7: a 5-point rise is 0.6, a
  50-point rise 0.96. The rise is first shrunk to the lower quartile of its Wilson interval
  (Wilson 1927), so few requests count less. The other curves use the halfway point k at which
  an engineer would call the change "maybe", e.g. latency x 1.8.
- significance is logistic in z, centred one scale above sqrt(2 ln m), the largest z expected
  from m healthy series: looking at more series asks for more.
- novelty is 1 / (1 + 2 r) where the baseline has r runs as high in a window as long.
- traffic is 1 - exp(-n / 8) of the requests behind a ratio: 3 failures of 6 requests is weak.
"""

from __future__ import annotations

import math

from correlation.metrics.effects import Effect

ERROR_RATIOS = frozenset({"error_ratio", "client_error_ratio"})
WILSON_Z = 0.6745
UNKNOWN_REQUESTS = 30.0
"""Requests assumed behind an error ratio when no request rate was gathered."""

RECURRING = 2.0
"""What the baseline does once in a window as long is worth a third of what it never does."""

_DIFFERENCE: dict[str, tuple[float, float]] = {
    "cpu_saturation": (0.25, 2.0),
    "memory_saturation": (0.25, 2.0),
    "pool_saturation": (0.25, 2.0),
    "pool_waiting": (2.0, 1.2),
    "cpu_throttling": (0.25, 2.0),
    "event_loop_lag": (0.1, 1.5),
    "restarts": (0.4, 1.5),
    "oom_kills": (0.4, 1.5),
    "replicas_ready": (0.12, 1.4),
}
_LOG_RATIO_BY_UNIT: dict[str, tuple[float, float, float]] = {
    "s": (0.6, 2.0, 0.002),
    "1/s": (0.7, 2.0, 0.2),
    "bytes": (0.4, 2.0, 1e6),
    "cores": (0.7, 2.0, 0.02),
}
"""unit -> (k, h, a small amount added to both sides so that an idle baseline is no infinity)."""


def hill(x: float, k: float, h: float) -> float:
    """0 at x <= 0, one half at k, towards 1 beyond; `h` is the steepness."""
    if x <= 0.0:
        return 0.0
    powered = (x / k) ** h
    return powered / (1.0 + powered)


def significance(z: float, tests: int) -> float:
    """0..1 for an effect of `z` scales found among `tests` series."""
    centre = math.sqrt(2.0 * math.log(max(tests, 10))) + 1.0
    low = _logistic(-centre / 0.5)
    return max(0.0, (_logistic((z - centre) / 0.5) - low) / (1.0 - low))


def wilson_low(ratio: float, n: float, z: float = WILSON_Z) -> float:
    """Lower bound of a proportion seen as `ratio` of `n` trials (Wilson 1927)."""
    if n < 1e-3:
        return 0.0
    ratio = min(max(ratio, 0.0), 1.0)
    middle = ratio + z * z / (2 * n)
    half = z * math.sqrt(ratio * (1 - ratio) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n))


def error_rise_confidence(rise_from: float, ratio: float, requests: float) -> float:
    """Confidence 0..1 that a ratio rose from `rise_from` to `ratio`, given `requests` seen."""
    rise = wilson_low(ratio, requests) - rise_from
    return hill(rise, 0.03615, 1.25) * (1.0 - math.exp(-max(requests, 0.0) / 8.0))


def confidence_of(
    effect: Effect, signal: str, unit: str, tests: int, requests: float | None = None
) -> float:
    """Evidence confidence 0..1 of one measured effect; `requests` only matters to ratios."""
    sure = significance(effect.z, tests) / (1.0 + RECURRING * effect.recurrence)
    centre, value = effect.reference.centre, effect.value
    if signal in ERROR_RATIOS:
        seen = UNKNOWN_REQUESTS if requests is None else requests
        return sure * error_rise_confidence(centre, value, seen)
    return sure * magnitude(signal, unit, centre, value)


def magnitude(signal: str, unit: str, baseline: float, value: float) -> float:
    """How large the change is for a responder, 0..1, whatever its significance."""
    difference = abs(value - baseline)
    if signal in _DIFFERENCE:
        size = hill(difference, *_DIFFERENCE[signal])
        if signal.endswith("_saturation"):  # a rise to 40 % is no saturation
            size *= min(1.0, max(0.15, (max(value, baseline) - 0.35) / 0.45))
        return size
    if unit in _LOG_RATIO_BY_UNIT:
        k, h, small = _LOG_RATIO_BY_UNIT[unit]
        ratio = math.log((max(value, 0.0) + small) / (max(baseline, 0.0) + small))
        size = hill(abs(ratio), k, h)
        return size * hill(difference, 0.008, 1.5) if unit == "s" else size
    return hill(difference / max(abs(baseline), 1e-9), 0.8, 2.0)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(x, 60.0), -60.0)))
