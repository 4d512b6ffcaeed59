"""What a postmortem is drafted from: the cause the analysis stands on, and incidents alike."""

from __future__ import annotations

from correlation.explaining.cause_card import card_of, steps_of
from correlation.memory.similar_incidents import similar
from correlation.models import Analysis, CauseVerdict
from correlation.reporting.standing_run import standing_of
from incidents.models import Incident
from timeline.postmortems.facts import Cause

ALIKE = 0.3
"""Likeness from which an earlier incident is worth naming in a postmortem."""


def cause_of(incident: Incident) -> Cause | None:
    """What people confirmed, else the standing run's first; None where nothing was analysed."""
    found = standing_of(incident, None)
    if found.run is None:
        return None
    confirmed = next(
        (row for row in found.verdicts.values() if row.verdict == CauseVerdict.Verdict.CONFIRMED),
        None,
    )
    missing = tuple(str(one) for one in found.run.missing)
    cause = found.top
    if confirmed is not None:
        identity = confirmed.identity
        cause = next((one for one in found.causes if (one.service, one.kind) == identity), None)
    who = ""
    if confirmed is not None:
        who = confirmed.by.username if confirmed.by else "An API token"
    if cause is None and confirmed is not None:  # one that the analysis had not ranked
        return Cause(confirmed.title, confirmed.service, confirmed=who, missing=missing)
    inconclusive = found.run.status == Analysis.Status.INCONCLUSIVE and confirmed is None
    if cause is None:
        checks = tuple((one.purpose, one.text) for one in steps_of(found.run.checks, found.by_id))
        return Cause(missing=missing, checks=checks, inconclusive=inconclusive)
    card = card_of(cause, found.by_id)
    return Cause(
        title=cause.title,
        service=cause.service,
        confidence=cause.confidence,
        change=card.change.text if card and card.change else "",
        since=card.since.timestamp() if card and card.since else None,
        against=tuple(line.text for line in card.against) if card else (),
        changed=tuple(line.text for line in card.changed) if card else (),
        checks=tuple((step.purpose, step.text) for step in card.steps) if card else (),
        missing=missing,
        inconclusive=inconclusive,
        confirmed=who,
    )


def similar_to(incident: Incident) -> list[tuple[str, str]]:
    return [
        (one.incident.reference, one.incident.title)
        for one in similar(incident, 3)
        if one.score >= ALIKE
    ]
