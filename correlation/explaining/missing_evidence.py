"""What an analysis could not have, and what would have decided it, in plain words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from correlation.telemetry import Evidence, Telemetry

if TYPE_CHECKING:
    from correlation.ranking import Hypothesis

YOUNG_SECONDS = 30.0


def missing_evidence(
    telemetry: Telemetry,
    evidence: list[Evidence],
    inconclusive: bool,
    ranked: list[Hypothesis],
) -> tuple[str, ...]:
    """What could not be had; with an inconclusive answer also what is too thin, in plain words."""
    said = list(telemetry.missing)
    if not inconclusive:
        return tuple(dict.fromkeys(said))
    text = " ".join(said).lower()
    newest = newest_sample(telemetry)
    if not telemetry.series and "metric" not in text and "prometheus" not in text:
        said.append("no metrics were gathered")
    elif newest is not None:
        since = newest - telemetry.started_at
        if since < YOUNG_SECONDS:
            said.append(f"telemetry after the incident start is only {max(since, 0.0):.0f} s old")
    if not telemetry.logs and "log" not in text and "loki" not in text:
        said.append("no logs were gathered")
    if telemetry.target and telemetry.series:
        traffic = [
            s
            for s in telemetry.series
            if s.signal in ("request_rate", "client_request_rate")
            and telemetry.target in (s.service, s.peer)
            and s.times.size
            and float(s.times[-1]) >= telemetry.window[0]
            and float(s.values[-1]) > 0.0
        ]
        if not traffic:
            said.append(f"no request traffic seen for {telemetry.target}")
    if not telemetry.edges and not any(s.peer for s in telemetry.series):
        said.append("no dependency graph: callers and callees are not known")
    if not any(item.confidence >= 0.5 for item in evidence):
        said.append("no signal left its usual range")
    elif len(ranked) > 1:
        first, second = ranked[0], ranked[1]
        said.append(
            f"nothing that tells {first.suspect.service} from {second.suspect.service}: their own "
            f"evidence weighs {first.score:.2f} and {second.score:.2f}"
        )
    else:
        said.append("what moved is too little to name a cause")
    return tuple(dict.fromkeys(said))


def newest_sample(telemetry: Telemetry) -> float | None:
    """When the newest metric sample up to `as_of` was taken, epoch seconds; None without any."""
    newest = None
    for series in telemetry.series:
        seen = int(series.times.searchsorted(telemetry.as_of, side="right"))
        if seen:
            at = float(series.times[seen - 1])
            newest = at if newest is None else max(newest, at)
    return newest
