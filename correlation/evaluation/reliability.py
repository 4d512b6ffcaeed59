"""How well probabilities hold: calibration error, Brier score, bins, and their diagram. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

BINS = 5
RESAMPLES = 1000
SURE = 0.9

SIDE, MARGIN = 320.0, 44.0


@dataclass(frozen=True)
class Bin:
    """Rankings of like confidence: how many, what was said on average, what share was right.

    `low` and `high` are the Wilson 90 % interval of that share.
    """

    n: int
    said: float
    right: float
    low: float
    high: float


def bins(probabilities: Sequence[float], right: Sequence[bool], count: int = BINS) -> list[Bin]:
    """Equal-mass bins from least to most sure; fewer than asked when there are fewer cases."""
    order = np.argsort(np.array(probabilities, dtype=float), kind="stable")
    said = np.array(probabilities, dtype=float)[order]
    seen = np.array(right, dtype=float)[order]
    return [
        Bin(
            part.size,
            float(part.mean()),
            float(hits.mean()),
            *_wilson(float(hits.sum()), part.size),
        )
        for part, hits in zip(np.array_split(said, count), np.array_split(seen, count), strict=True)
        if part.size
    ]


def expected_calibration_error(
    probabilities: Sequence[float], right: Sequence[bool], count: int = BINS
) -> float:
    """Mean gap of said and seen over equal-mass bins, weighted by their size."""
    found = bins(probabilities, right, count)
    return sum(one.n * abs(one.said - one.right) for one in found) / max(len(probabilities), 1)


def calibration_figures(probabilities: Sequence[float], right: Sequence[bool]) -> dict[str, Any]:
    """ece with the 5 and 95 % quantiles of its bootstrap, brier, and the base rate's brier.

    Also of those said with SURE or more: sure_n, and sure_right, the share that was right. Null
    where there is nothing to say it of. The bootstrap is seeded: the same every time.
    """
    names = ("ece", "ece_low", "ece_high", "brier", "base_rate_brier")
    said, hits = np.array(probabilities, dtype=float), np.array(right, dtype=bool)
    sure = hits[said >= SURE] if said.size else hits
    found: dict[str, Any] = dict.fromkeys(names)
    found |= {"sure_n": int(sure.size), "sure_right": None}
    if sure.size:
        found["sure_right"] = round(float(sure.mean()), 4)
    if not said.size:
        return found
    draws = np.random.default_rng(said.size).integers(0, said.size, (RESAMPLES, said.size))
    resampled = [_error(said[draw], hits[draw]) for draw in draws]
    base = float(hits.mean())
    values = (
        _error(said, hits),
        float(np.quantile(resampled, 0.05)),
        float(np.quantile(resampled, 0.95)),
        float(np.mean((said - hits) ** 2)),
        base * (1.0 - base),
    )
    return found | {name: round(value, 4) for name, value in zip(names, values, strict=True)}


def diagram(found: Sequence[Bin], title: str) -> str:
    """The bins against the diagonal as SVG, readable on light and on dark pages."""

    def x(share: float) -> float:
        return MARGIN + share * SIDE

    def y(share: float) -> float:
        return 10.0 + (1.0 - share) * SIDE

    parts = [
        f'<rect x="{x(0):g}" y="{y(1):g}" width="{SIDE:g}" height="{SIDE:g}" fill="none" '
        'stroke="#888" stroke-opacity="0.5"/>',
        f'<line x1="{x(0):g}" y1="{y(0):g}" x2="{x(1):g}" y2="{y(1):g}" stroke="#888" '
        'stroke-dasharray="4 4"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(_words(x(tick), y(0) + 16.0, f"{tick:g}", "middle"))
        parts.append(_words(x(0) - 6.0, y(tick) + 4.0, f"{tick:g}", "end"))
    for one in found:
        at = x(one.said)
        parts.append(
            f'<line x1="{at:.1f}" y1="{y(one.low):.1f}" x2="{at:.1f}" y2="{y(one.high):.1f}" '
            'stroke="#4a7fb5" stroke-width="1.5"/>'
        )
        parts.append(
            f'<circle cx="{at:.1f}" cy="{y(one.right):.1f}" r="5" fill="#4a7fb5">'
            f"<title>said {one.said:.2f}, right {one.right:.2f}, n={one.n}</title></circle>"
        )
    parts.append(_words(x(0.5), y(0) + 34.0, "said", "middle"))
    parts.append(
        f'<text x="12" y="{y(0.5):g}" transform="rotate(-90 12 {y(0.5):g})" '
        'text-anchor="middle">right</text>'
    )
    width, height = SIDE + MARGIN + 12.0, SIDE + 54.0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" font-family="sans-serif" '
        f'font-size="12" fill="#888"><title>{escape(title)}</title>{"".join(parts)}</svg>\n'
    )


def _words(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>'


def _error(said: np.ndarray, right: np.ndarray) -> float:
    """`expected_calibration_error` of arrays, for the many of a bootstrap."""
    order = np.argsort(said, kind="stable")
    gaps = (said[order] - right[order]).astype(float)
    return sum(abs(float(part.sum())) for part in np.array_split(gaps, BINS)) / max(said.size, 1)


def _wilson(hits: float, n: int, z: float = 1.645) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927)."""
    share, square = hits / n, z * z / n
    centre = (share + square / 2.0) / (1.0 + square)
    half = z * ((share * (1.0 - share) / n + square / (4.0 * n)) ** 0.5) / (1.0 + square)
    return max(0.0, centre - half), min(1.0, centre + half)
