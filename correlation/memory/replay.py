"""Ranks again what an analysis ranked, and says whether the answer is the same byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from correlation import engine_version, ranking_text
from correlation.memory import snapshots
from correlation.memory.snapshots import InForce
from correlation.models import Analysis, EvidenceSnapshot
from correlation.rules import shelf as rule_shelf
from correlation.rules.pack import digest_of


@dataclass(frozen=True)
class Replay:
    """`differences` are (path in the answer, then, now); `changed` what is another now, in words.

    `digest` is of the answer now, `digest_then` the one stored with the analysis.
    """

    digest_then: str
    digest: str
    differences: tuple[tuple[str, Any, Any], ...]
    changed: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return self.digest == self.digest_then


def replay(analysis: Analysis, *, with_current: bool = False) -> Replay:
    """The stored telemetry through today's code; raises snapshots.NotReplayable.

    Rules and calibration are those of then, or today's `with_current`.
    """
    snapshot = snapshots.stored(analysis)
    telemetry = snapshots.load(analysis)
    today = InForce.now(rule_shelf.in_force().rules)
    before = snapshots.answer_of(snapshot)
    in_force = today if with_current else snapshots.in_force_of(snapshot)
    answer = in_force.rank(telemetry)
    now = ranking_text.canonical(answer)
    digest = ranking_text.digest(now)
    return Replay(
        digest_then=snapshot.ranking_digest,
        digest=digest,
        differences=() if now == before else tuple(ranking_text.differences(before, now)),
        changed=tuple(_changed(snapshot, today)),
    )


def _changed(snapshot: EvidenceSnapshot, today: InForce) -> list[str]:
    words = {
        "release": "release",
        "code": "ranking code",
        "numpy": "numpy",
        "python": "Python",
    }
    here = engine_version.current()
    pairs = [(words[name], snapshot.engine.get(name, ""), here[name]) for name in words]
    pairs.append(("calibration", snapshot.calibration_version, str(today.calibration["version"])))
    pairs.append(("rules", snapshot.rules_digest[:12], digest_of(today.rules)[:12]))
    return [f"{name}: {then} then, {now} now" for name, then, now in pairs if then != now]
