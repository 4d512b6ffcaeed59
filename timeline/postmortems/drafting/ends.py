"""How it ended, and the course of it. Pure."""

from __future__ import annotations

from timeline.postmortems.drafting import wording
from timeline.postmortems.drafting.openings import recorded
from timeline.postmortems.drafting.wording import beside, clock, day_clock, lasted, listed
from timeline.postmortems.facts import Facts, Happened, cited

TOLD = (
    "incident_created",
    "alert_firing",
    "alert_resolved",
    "heartbeat",
    "change",
    "root_cause_identified",
    "cause_reviewed",
    "correlation_failed",
    "source_unavailable",
    "source_recovered",
    "slo_breach",
    "slo_recovered",
    "impact",
    "status_changed",
    "severity_changed",
    "role_changed",
    "mitigation_applied",
    "time_corrected",
    "incident_resolved",
    "reopened",
    "absorbed",
    "task",
    "note",
    "correction",
)
ALWAYS = ("note", "correction")
MOST_EVENTS = 60


def resolution(facts: Facts) -> str:
    parts = []
    for event in facts.of("mitigation_applied"):
        after = lasted(max(event.at - facts.started_at, 0.0))
        why = f": {event.body.strip()}" if event.body.strip() else ""
        by = event.by or "Somebody"
        parts.append(cited(f"{by} mitigated it after {after}, at {clock(event.at)}{why}.", [event]))
    if not parts:
        parts.append("No mitigation is on record.")
    parts.append(recorded("What fixed it, as recorded:", facts.resolution))
    for event in facts.of("reopened"):
        why = f": {event.body.strip()}" if event.body.strip() else ""
        parts.append(cited(f"It was reopened at {clock(event.at)}{why}.", [event]))
    end = facts.of("incident_resolved")[-1:]
    if facts.mttr is not None:
        step = [e for e in facts.of("status_changed") if e.data.get("to") == "resolved"][-1:]
        who = next((e.by for e in [*step, *end] if e.by), None)
        how = f"{who} resolved it" if who else "It was resolved by itself when its alerts had ended"
        parts.append(
            cited(f"{how} after {lasted(facts.mttr)}{beside(facts.typical_mttr)}.", end or step)
        )
    recovered = [one.slug for one in facts.services if one.recovered]
    rest = [one.slug for one in facts.services if not one.recovered]
    if facts.services:
        told = f"Services confirmed recovered: {len(recovered)}/{len(facts.services)}"
        parts.append(cited(f"{told}{', not ' + listed(rest) if rest else ''}.", end))
    return wording.paragraphs(parts)


def sequence(facts: Facts) -> str:
    """The events worth reading again, by when they happened; a day's first one names the day."""
    told = facts.of(*TOLD)
    if len(told) > MOST_EVENTS:
        told = [e for e in told if e.kind in ALWAYS or e.by or e.severity in ("high", "critical")]
    lines: list[str] = []
    day = ""
    for event in told[:MOST_EVENTS]:
        moment = day_clock(event.at) if day_clock(event.at)[:10] != day else clock(event.at)
        day = day_clock(event.at)[:10]
        lines.append(f"**{moment}** {cited(event.title, [event])}{_by(event)}")
    if len(told) > MOST_EVENTS:
        lines.append(f"{len(told) - MOST_EVENTS} more are on the timeline")
    return wording.bullets(lines, "Nothing was recorded.")


def _by(event: Happened) -> str:
    named = event.by is not None and event.by not in event.title
    return cited(f", {event.by}") if named else ""
