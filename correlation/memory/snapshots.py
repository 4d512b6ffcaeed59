"""Keeps what an analysis ranked, and gives it back: see EvidenceSnapshot.

A snapshot is written after the answer is out and while the run's worker is still taken, so that it
delays nobody and no more are written at once than analyses run. One that fails costs the analysis
nothing; its row says so.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from correlation import calibration, engine_version, ranking_text
from correlation.models import Analysis, EvidenceSnapshot
from correlation.ranking import rank
from correlation.rules import pack as rule_pack
from correlation.rules import shelf as rule_shelf
from correlation.rules.matching import Rule
from correlation.telemetry import Ranking, Telemetry
from correlation.telemetry_codec import BadTelemetry, decode, encode

logger = logging.getLogger("studio.correlation")


class NotReplayable(Exception):
    """There is nothing to rank again; the text says why."""


@dataclass(frozen=True)
class InForce:
    """What an answer depends on beside the telemetry, as the documents their parsers read."""

    rules: Mapping[str, Any]
    calibration: Mapping[str, Any]

    @classmethod
    def now(cls, rules: Sequence[Rule] | None = None) -> InForce:
        """Today's: `rules` or those enabled, and the shipped calibration."""
        rules = rule_shelf.in_force().rules if rules is None else rules
        document = rule_pack.document_of(rules)
        return cls(document, calibration.shipped_document())

    def rank(self, telemetry: Telemetry) -> Ranking:
        """The answer under these rules and this calibration."""
        return rank(
            telemetry,
            rules=rule_pack.rules_of(self.rules),
            artefact=calibration.parse(self.calibration),
        )


def keep(
    analysis: Analysis, telemetry: Telemetry, ranking: Ranking, in_force: InForce | None = None
) -> EvidenceSnapshot:
    """Store what `analysis` ranked and answered, or why it could not be stored."""
    in_force = in_force or InForce.now()
    columns: dict[str, Any]
    try:
        columns = _columns(telemetry, ranking, in_force)
    except Exception as error:
        # the answer is out already: what cannot be kept is told, and costs nothing else
        logger.exception("analysis %s is kept without its telemetry", analysis.pk)
        note = f"{type(error).__name__}: {error}"[:500]
        columns = {"state": EvidenceSnapshot.State.FAILED, "note": note}
    snapshot, _new = EvidenceSnapshot.objects.update_or_create(analysis=analysis, defaults=columns)
    return snapshot


def load(analysis: Analysis) -> Telemetry:
    """The telemetry `analysis` ranked; raises NotReplayable."""
    try:
        return decode(bytes(stored(analysis).telemetry or b""))
    except BadTelemetry as error:
        raise NotReplayable(f"{error}.") from error


def stored(analysis: Analysis) -> EvidenceSnapshot:
    """The snapshot of `analysis`, whole; raises NotReplayable."""
    snapshot = EvidenceSnapshot.objects.filter(pk=analysis.pk).first()
    if snapshot is None:
        raise NotReplayable(
            "No snapshot was stored: the run did not finish, or is older than snapshots are."
        )
    if not snapshot.is_replayable:
        raise NotReplayable(why_not(snapshot))
    return snapshot


def why_not(snapshot: EvidenceSnapshot) -> str:
    """In words, why a snapshot that is not stored is not; "" for one that is."""
    return {
        EvidenceSnapshot.State.STORED: "",
        EvidenceSnapshot.State.TOO_LARGE: f"Too large to keep: {snapshot.note}",
        EvidenceSnapshot.State.EXPIRED: f"Expired: {snapshot.note}",
        EvidenceSnapshot.State.FAILED: f"Could not be stored: {snapshot.note}",
    }[EvidenceSnapshot.State(snapshot.state)]


def in_force_of(snapshot: EvidenceSnapshot) -> InForce:
    """The rules and the calibration of then; raises NotReplayable when they are damaged."""
    try:
        told = json.loads(zlib.decompress(bytes(snapshot.context or b"")))
        rule_pack.rules_of(told["rules"])
        return InForce(told["rules"], told["calibration"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:  # BadRule among them
        raise NotReplayable(f"The rules of then cannot be read: {error}.") from error


def answer_of(snapshot: EvidenceSnapshot) -> str:
    """The canonical text of the answer of then; raises NotReplayable when it is damaged."""
    try:
        return zlib.decompress(bytes(snapshot.ranking or b"")).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError) as error:
        raise NotReplayable(f"The answer of then cannot be read: {error}.") from error


def prune(now: datetime | None = None) -> int:
    """Drop the contents of snapshots past their days; the row stays and says so. How many."""
    now = now or timezone.now()
    days = settings.EVIDENCE_SNAPSHOT_DAYS
    old = EvidenceSnapshot.objects.filter(
        state=EvidenceSnapshot.State.STORED, stored_at__lte=now - timedelta(days=days)
    )
    return old.update(
        state=EvidenceSnapshot.State.EXPIRED,
        note=f"kept for {days} days.",
        telemetry=None,
        ranking=None,
        context=None,
    )


def _columns(telemetry: Telemetry, ranking: Ranking, in_force: InForce) -> dict[str, Any]:
    answer = ranking_text.canonical(ranking)
    about = {
        "ranking_digest": ranking_text.digest(answer),
        "rules_digest": rule_pack.digest_of(in_force.rules),
        "calibration_version": str(in_force.calibration["version"])[:100],
        "engine": engine_version.current(),
        "note": "",
        "left_out": [],
    }
    blobs = {
        "ranking": zlib.compress(answer.encode("utf-8", "surrogatepass")),
        "context": zlib.compress(
            json.dumps({"rules": in_force.rules, "calibration": in_force.calibration}).encode()
        ),
    }
    room = settings.EVIDENCE_SNAPSHOT_MAX_BYTES - sum(len(blob) for blob in blobs.values())
    packed, left_out = fitted(telemetry, answer, in_force, room)
    size = len(packed) + sum(len(blob) for blob in blobs.values())
    if len(packed) > room:
        most = f"{settings.EVIDENCE_SNAPSHOT_MAX_BYTES:,}"
        return {
            **about,
            "state": EvidenceSnapshot.State.TOO_LARGE,
            "note": f"{size:,} bytes, {most} are allowed.",
            "size_bytes": size,
        }
    return {
        **about,
        **blobs,
        "state": EvidenceSnapshot.State.STORED,
        "telemetry": packed,
        "left_out": left_out,
        "size_bytes": size,
    }


def fitted(
    telemetry: Telemetry, answer: str, in_force: InForce, room: int
) -> tuple[bytes, list[str]]:
    """(bytes, what was cut): packed quickly, else small, else cut where the answer stays the same.

    A cut is made only if ranking without it gives `answer` again; the smallest found is given
    though it be larger than `room`.
    """
    left_out: list[str] = []
    packed = encode(telemetry)
    if len(packed) > room:
        packed = encode(telemetry, "small")
    for words, cut in _CUTS:
        if len(packed) <= room:
            break
        smaller = cut(telemetry)
        if ranking_text.canonical(in_force.rank(smaller)) == answer:
            telemetry = smaller
            left_out.append(words)
            packed = encode(telemetry, "small")
    return packed, left_out


def _without_line_ids(telemetry: Telemetry) -> Telemetry:
    lines = tuple(replace(line, trace_id="", span_id="") for line in telemetry.logs)
    return replace(telemetry, logs=lines)


def _without_span_attributes(telemetry: Telemetry) -> Telemetry:
    return replace(telemetry, spans=tuple(replace(s, attributes=()) for s in telemetry.spans))


def _without_diffs(telemetry: Telemetry) -> Telemetry:
    return replace(telemetry, changes=tuple(replace(c, diff="") for c in telemetry.changes))


def _within_the_windows(telemetry: Telemetry) -> Telemetry:
    """Samples before the baseline or after the moment of the ranking are not compared."""
    series = []
    for one in telemetry.series:
        there = (one.times >= telemetry.baseline[0]) & (one.times <= telemetry.as_of)
        series.append(replace(one, times=one.times[there], values=one.values[there]))
    return replace(telemetry, series=tuple(series))


_CUTS: tuple[tuple[str, Callable[[Telemetry], Telemetry]], ...] = (
    ("trace and span ids of log lines", _without_line_ids),
    ("samples outside the windows", _within_the_windows),
    ("diffs of changes", _without_diffs),
    ("attributes of spans", _without_span_attributes),
)
