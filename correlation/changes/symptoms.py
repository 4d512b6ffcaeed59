"""What the evidence shows, in the words of the change vocabulary, and since when.

Pure. Everything is read once for an analysis; a suspect then weighs each piece by how near to
it the piece was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from correlation.changes.vocabulary import shipped
from correlation.evidence import Key, Movement
from correlation.logs.patterns import normal_level
from correlation.magnitude import confidence_of
from correlation.metrics.effects import measure_each
from correlation.signal_labels import label_of
from correlation.telemetry import Evidence, LogLine, Telemetry

EARLY_SHARE = 0.4
"""The first part of the baseline, which long looks compare with: trouble may lie in the rest."""

FEWEST_EARLY = 6
FRESH_BEFORE_SECONDS = 600.0
MOST_FRESH = 60
FRESH_WEIGHT = 0.6
"""A single new line says less than one that was counted."""

WORTH_READING = 0.15
MOST_TEXT = 1000
"""Characters of a piece of evidence that symptoms are looked for in."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGITS = re.compile(r"[0-9a-f]*\d[0-9a-f]*", re.IGNORECASE)


@dataclass(frozen=True)
class Sign:
    """One piece of evidence read: where, how sure, what it shows, its words, its onset.

    `shows` are symptoms by name, `unprompted` reasons from outside with their log-odds, `onset`
    is (epoch s, give or take s) or None where the moment says little.
    """

    services: frozenset[str]
    weight: float
    text: str
    shows: frozenset[str]
    unprompted: tuple[tuple[str, float], ...]
    onset: tuple[float, float] | None
    spoken: bool
    """Whether its words are the programs' own: log lines, operations, messages."""


def signs(
    telemetry: Telemetry, found: Mapping[Key, Movement], evidence: Iterable[Evidence]
) -> tuple[Sign, ...]:
    """Every piece of evidence read; none where there is no change to weigh it against."""
    read = []
    early = _early_moves(telemetry, found)
    for item in evidence:
        if item.type == "change" or item.confidence < WORTH_READING:
            continue
        if item.type == "metric":
            continue  # below, with the longer look
        if item.details.get("change") in ("vanished", "fading"):
            continue
        onset = None if item.onset_at is None else (item.onset_at, 30.0)
        read.append(
            _sign({item.service, item.peer or ""}, item.confidence, _words(item), onset, True)
        )
    for (service, signal, peer), (confidence, sign, onset) in sorted(
        early.items(), key=lambda pair: (pair[0][0], pair[0][1], pair[0][2] or "")
    ):
        text = f"{service}: {label_of(signal)} {'rose' if sign > 0 else 'fell'}"
        read.append(_sign({service, peer or ""}, confidence, text, onset, False))
    read += [
        _sign({line.service}, FRESH_WEIGHT, line.message, None, True)
        for line in _fresh_lines(telemetry, early)
    ]
    return tuple(read)


def _sign(
    services: set[str], weight: float, text: str, onset: tuple[float, float] | None, spoken: bool
) -> Sign:
    shows, unprompted = _read(text[:MOST_TEXT])
    return Sign(frozenset(services - {""}), weight, text, shows, unprompted, onset, spoken)


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[frozenset[str], tuple[tuple[str, float], ...]]:
    """Symptoms and outside reasons that a text shows; words run together are read apart too."""
    vocabulary = shipped()
    apart = _CAMEL.sub(" ", text)
    read = text if apart == text else f"{text}\n{apart}"
    return (
        frozenset(symptom.name for symptom in vocabulary.symptoms if symptom.text.search(read)),
        tuple((name, worth) for name, worth, said in vocabulary.unprompted if said.search(read)),
    )


def _words(item: Evidence) -> str:
    told = [item.title, str(item.details.get("template", "")), item.details.get("operation", "")]
    told += [str(sample)[:300] for sample in item.details.get("samples", ())][:3]
    told.append(str(item.details.get("message", "")))
    return "\n".join(str(part) for part in told if part)


def _early_moves(
    telemetry: Telemetry, found: Mapping[Key, Movement]
) -> dict[Key, tuple[float, int, tuple[float, float]]]:
    """Moved series: confidence, sign and onset, which may lie well before the incident window.

    A fault that grew unnoticed has its first part in the baseline: the series is compared with
    the beginning of the baseline too, and the longer run counts if it never went back.
    """
    begin, border = telemetry.baseline[0], telemetry.window[0]
    split = begin + EARLY_SHARE * (border - begin)
    firsts = {key: int(one.series.times.searchsorted(split)) for key, one in found.items()}
    looked_at = [
        key
        for key, early in firsts.items()
        if early >= FEWEST_EARLY
        and (found[key].effect is not None or found[key].series.times.size > early)
    ]
    seen = [found[key].series for key in looked_at]
    sides = (begin, split), (split, telemetry.as_of)
    again = dict(zip(looked_at, measure_each(seen, *sides, telemetry.as_of), strict=True))
    moves: dict[Key, tuple[float, int, tuple[float, float]]] = {}
    for key, movement in found.items():
        series, effect, confidence = movement.series, movement.effect, movement.confidence
        if effect is not None and confidence >= WORTH_READING:
            onset = (effect.onset.at, effect.onset.uncertainty_seconds)
            moves[key] = (confidence, effect.sign, onset)
        longer = again.get(key)
        if longer is None or longer.onset.at >= border:
            continue
        run = series.values[firsts[key] :][longer.onset.start : longer.onset.stop]
        away = longer.sign * (run - longer.reference.centre) > longer.reference.scale
        lasting = longer.onset.at + longer.duration_seconds >= border and float(away.mean()) >= 0.75
        sure = confidence_of(longer, series.signal, series.unit, len(found))
        if lasting and sure >= WORTH_READING:
            onset = (longer.onset.at, longer.onset.uncertainty_seconds)
            moves[key] = (max(sure, confidence), longer.sign, onset)
    return moves


def _fresh_lines(
    telemetry: Telemetry, early: Mapping[Key, tuple[float, int, tuple[float, float]]]
) -> list[LogLine]:
    """One line of each shape first heard around the incident: too few to count, but they speak."""
    onsets = [onset[0] for confidence, _, onset in early.values() if confidence >= 0.5]
    since = min([telemetry.window[0], *onsets]) - FRESH_BEFORE_SECONDS
    known: set[tuple[str, str]] = set()
    fresh: dict[tuple[str, str], LogLine] = {}
    routine = {key[0] for key in early}
    for line in sorted(telemetry.logs, key=lambda line: (line.at, line.service, line.message)):
        if line.at > telemetry.as_of:
            break
        if normal_level(line.level) in ("info", "debug") and line.service in routine:
            continue
        shape = (line.service, _DIGITS.sub("#", line.message[:200]))
        if line.at < since:
            known.add(shape)
        elif shape not in known and shape not in fresh and len(fresh) < MOST_FRESH:
            fresh[shape] = line
    return list(fresh.values())
