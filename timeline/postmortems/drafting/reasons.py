"""What contributed: the cause, what else moved and in which order. Pure."""

from __future__ import annotations

from timeline.postmortems.drafting import wording
from timeline.postmortems.drafting.openings import recorded
from timeline.postmortems.drafting.wording import clock, listed
from timeline.postmortems.facts import Facts, cited
from timeline.reporting.markdown import escaped

SIGNALS = ("metric_spike", "log_pattern", "trace", "pod")
MOST_SIGNALS = 8
MOST_CHANGED = 5


def contributing_factors(facts: Facts) -> str:
    parts = [recorded("As recorded at resolution:", facts.root_cause), _ranked(facts)]
    signals = facts.of(*SIGNALS)
    if signals:
        shown = signals[:MOST_SIGNALS]
        lines = [cited(f"{clock(one.at)} {one.title}", [one]) for one in shown]
        parts.append(f"What moved, in the order in which it began:\n\n{wording.bullets(lines)}")
    silent = facts.of("source_unavailable")
    if silent:
        names = list(dict.fromkeys(str(one.data.get("data_source", "")) for one in silent))
        parts.append(
            cited(f"Telemetry was incomplete: {listed(names)} did not answer.", silent[:3])
        )
    merged = facts.of("absorbed")
    parts += [cited(f"{event.title}.", [event]) for event in merged]
    return wording.paragraphs(parts) or "Nothing on record names a factor."


def _ranked(facts: Facts) -> str:
    cause = facts.cause
    if cause is None or not (cause.title or cause.inconclusive):
        return ""
    said = facts.of("root_cause_identified")[-1:]
    if cause.inconclusive:
        event = facts.of("correlation_inconclusive")[-1:]
        return cited("The analysis was inconclusive: no cause stands out.", event)
    parts = [cited(f"The analysis ranks first: {cause.title.rstrip('.')}.", said)]
    if cause.changed:
        lines = [escaped(text) for text in cause.changed[:MOST_CHANGED]]
        parts.append(f"It rests on:\n\n{wording.bullets(lines)}")
    if cause.against:
        lines = [escaped(text) for text in cause.against]
        parts.append(f"Against it speaks:\n\n{wording.bullets(lines)}")
    return wording.paragraphs(parts)
